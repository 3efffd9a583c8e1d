// Starts what the browser does for the page by itself.

import {while_dragged} from "./dragging.js"
import {start} from "./frames.js"
import {listen} from "./keyboard.js"
import {name_all} from "./names.js"
import {fit} from "./screen.js"

export function open(base, {token, keys, narrowest, slider, dragged}) {
  start(token, base)
  listen(keys)
  fit(narrowest)
  name_all()
  while_dragged(slider, dragged)
}
