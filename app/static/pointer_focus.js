// What a pointer presses leaves the keys to the page: space plays, and does not press it again. Whoever presses by
// a key goes on from there, as everywhere; and so does Tab after a pointer, since the browser knows where it was.

const PRESSED = "button, summary, [role=button], [role=tab], [role=combobox], input:is([type=checkbox], [type=radio])"
// A dialog hears its keys, as Escape, only while something in it has the focus.
const KEEPS = "[role=dialog]"

export function keep_keys_from_what_is_pressed() {
  let by_pointer = false

  for (const [event, pointer] of [["pointerdown", true], ["keydown", false]]) {
    window.addEventListener(event, () => { by_pointer = pointer }, true)
  }
  document.addEventListener("focusin", (event) => {
    const [focused] = event.composedPath()
    if (by_pointer && focused.matches(PRESSED) && !is_kept(event)) {
      focused.blur()
    }
  })
}

export function is_kept(event) {
  return event.composedPath().some((element) => element instanceof Element && element.matches(KEEPS))
}
