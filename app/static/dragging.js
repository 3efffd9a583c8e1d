// Shows what a slider is about to do while it moves, long before the server hears of it.

export function while_dragged(name, callback) {
  window.addEventListener("babysit-dragged", ({detail}) => {
    if (detail.name == name) {
      callback.setv({args: {wanted: detail.value}}, {sync: false})
      callback.execute(null)
    }
  })
}
