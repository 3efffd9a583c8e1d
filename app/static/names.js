// Gives a role or a name to what Panel's components leave without one (Panel 1.10.0), for those who
// hear the page: the tips beside the controls, bars that show progress, and the buttons in a number's
// box, which the arrow keys do as well.

const OFTEN = 2000 // milliseconds: the page changes with what somebody does, and by itself

export function name_all() {
  setInterval(() => requestIdleCallback(() => mend(document)), OFTEN)
}

function mend(root) {
  for (const element of root.querySelectorAll("*")) {
    if (element.matches("span[aria-label]:not([role])")) {
      element.setAttribute("role", "img")
    } else if (element.matches("[role=progressbar]:not([aria-label])")) {
      element.setAttribute("aria-label", "Progress")
    } else if (element.matches("button:not([aria-label]) > [data-testid=RemoveIcon]")) {
      element.parentElement.setAttribute("aria-label", "Less")
    } else if (element.matches("button:not([aria-label]) > [data-testid=AddIcon]")) {
      element.parentElement.setAttribute("aria-label", "More")
    }
    if (element.shadowRoot != null) {
      mend(element.shadowRoot)
    }
  }
}
