// Adds the ARIA roles and names that Panel 1.10.0's components lack, for screen readers: those of tips,
// of progress bars, and of the buttons in number fields.

const OFTEN = 2000 // milliseconds between two passes over the page
const SPIN = new Map([ // by their icons, which are all that identifies them
  ["M19 13H5v-2h14z", "Less"],
  ["M19 13h-6v6h-2v-6H5v-2h6V5h2v6h6z", "More"],
])

export function name_all() {
  setInterval(() => requestIdleCallback(() => mend(document), {timeout: OFTEN}), OFTEN)
}

function mend(root) {
  for (const element of root.querySelectorAll("*")) {
    if (element.matches("span[aria-label]:not([role])")) {
      element.setAttribute("role", "img")
    } else if (element.matches("[role=progressbar]:not([aria-label])")) {
      element.setAttribute("aria-label", "Progress")
    } else if (element.matches("button:not([aria-label]) path")) {
      const name = SPIN.get(element.getAttribute("d"))
      if (name != null) {
        element.closest("button").setAttribute("aria-label", name)
      }
    }
    if (element.shadowRoot != null) {
      mend(element.shadowRoot)
    }
  }
}
