// Tells the server what somebody has done, over the page's bridge (app/page/bridge.py).

export function tell(kind, name, value = "") {
  window.babysit_tell({kind, name, value})
}
