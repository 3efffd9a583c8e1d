// Sends the server what somebody has done, over the page's bridge (app/page/bridge.py).

export function send(kind, name, value = "") {
  window.babysit_send({kind, name, value})
}
