// A list that a pointer has opened leaves the keys to the page when it closes: space plays, and does not open
// it again. Whoever opened it by a key goes on from its button, as everywhere.

export function let_go_of_lists() {
  document.addEventListener("click", (event) => {
    const opener = event.composedPath().find((element) => element.popoverTargetElement != null)
    if (opener == null || event.detail == 0) { // pressed by a key
      return
    }
    const list = opener.popoverTargetElement
    const follow = ({newState}) => {
      if (newState == "closed") {
        list.removeEventListener("toggle", follow)
        opener.blur() // the browser has given it the focus back
      }
    }
    list.addEventListener("toggle", follow)
  })
}
