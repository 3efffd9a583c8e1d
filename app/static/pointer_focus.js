// What a pointer presses leaves the keys to the page: space plays, and does not press it again. Whoever presses by
// a key goes on from there, as everywhere; and so does Tab after a pointer, since the browser knows where it was.

const SPACE = " "
const PRESSED = "button, summary, [role=button], [role=tab], [role=combobox], input:is([type=checkbox], [type=radio])"
// A dialog hears its keys, as Escape, only while something in it has the focus.
const KEEPS = "[role=dialog]"

export function leave_keys_to_the_page() {
  let by_pointer = false

  window.addEventListener("pointerdown", () => { by_pointer = true }, true)
  window.addEventListener("click", (event) => event.detail > 0 && let_go(), true)
  // A list that closes gives the focus back to what opened it: the page gets space all the same.
  window.addEventListener("keydown", (event) => {
    if (by_pointer && event.key == SPACE && let_go()) {
      event.preventDefault()
      event.stopPropagation()
      document.body.dispatchEvent(new KeyboardEvent("keydown", {key: SPACE, bubbles: true}))
    }
    by_pointer &&= event.key == "Escape" // which only closes what the pointer opened
  }, true)
}

export function keeps_focus(event) {
  return event.composedPath().some((element) => element instanceof Element && element.matches(KEEPS))
}

// Says whether there was anything to let go of.
function let_go() {
  const focused = deepest(document.activeElement)
  const lets_go = focused?.matches(PRESSED) && !is_within(focused, KEEPS)
  if (lets_go) {
    focused.blur()
  }
  return lets_go
}

function deepest(element) {
  const inner = element?.shadowRoot?.activeElement
  return inner == null ? element : deepest(inner)
}

function is_within(element, selector) {
  return element != null && (element.closest(selector) != null || is_within(element.getRootNode().host, selector))
}
