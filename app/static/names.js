// Gives a role or a name to what Panel's components leave without one (Panel 1.10.0), for those who
// hear the page: the tips beside the controls, and bars that show progress.

const DELAY = 500 // milliseconds from what somebody does until the page has changed

export function name_all() {
  const later = () => setTimeout(() => mend(document), DELAY)
  for (const event of ["pointerup", "keyup"]) {
    window.addEventListener(event, later, true)
  }
  for (const moment of [1, 3, 6]) { // while the page is being built
    setTimeout(later, 1000 * moment)
  }
}

function mend(root) {
  for (const element of root.querySelectorAll("*")) {
    if (element.matches("span[aria-label]:not([role])")) {
      element.setAttribute("role", "img")
    } else if (element.matches("[role=progressbar]:not([aria-label])")) {
      element.setAttribute("aria-label", "Progress")
    }
    if (element.shadowRoot != null) {
      mend(element.shadowRoot)
    }
  }
}
