// Starts what the browser does for the page by itself.

import {leave_styles_alone} from "./bokeh_patches.js"
import {Dock} from "./classroom/dock.js"
import {remember_scheme} from "./colour_scheme.js"
import {follow_address} from "./course.js"
import {keep_focus_in_dialogs} from "./dialog_focus.js"
import {while_dragged} from "./dragging.js"
import {show_stages} from "./explained_step.js"
import {listen_for_film} from "./film.js"
import {start} from "./frames.js"
import {DisplayMode} from "./display_mode.js"
import {listen_to_keys} from "./keyboard.js"
import {listen_in_lists} from "./list_keys.js"
import {listen_to_plot_controls} from "./plot_controls.js"
import {name_all} from "./aria_fixes.js"
import {leave_keys_to_the_page} from "./pointer_focus.js"
import {listen_for_presses} from "./presses.js"
import {QuestionMark} from "./question_mark.js"
import {fit} from "./screen.js"
import {listen_to_tabs} from "./tabs.js"
import {fold_title} from "./titles.js"
import {attend, be_built, built} from "./views.js"
import {Reconnect} from "./reconnect.js"

let is_open = null
// What the server may have the page do, once it is open.
export const opened = new Promise((resolve) => { is_open = resolve })

// Hear what a visitor does, from the first button on.
export function listen(keys) {
  listen_in_lists()
  listen_to_keys(keys)
  listen_for_presses()
  leave_keys_to_the_page()
  keep_focus_in_dialogs()
  listen_to_tabs()
  show_stages()
  listen_for_film()
}

const base = new URL("..", import.meta.url).pathname.replace(/\/$/, "") // the path of the page

let [reconnect, display_mode] = [null, null]

// Ask for frames, the first one while Bokeh still builds the page.
export function watch({token, first, bar, projector}) {
  remember_scheme()
  built.then(leave_styles_alone)
  listen_to_plot_controls()
  attend(fold_title)
  reconnect = new Reconnect(bar)
  window.babysit_unbuilt.then(() => reconnect.give_up_page())
  display_mode = new DisplayMode(projector)
  start(token, base, reconnect, display_mode, first)
}

// Bokeh has built the page.
export function open({token, narrowest, slider, dragged, classroom, asked}) {
  const [page] = window.Bokeh.documents
  reconnect.listen(page)
  display_mode.listen(page)
  be_built()
  fit(narrowest)
  name_all()
  follow_address()
  while_dragged(slider, dragged)
  new Dock(base, token, classroom)
  new QuestionMark(asked)
  window.babysit.complete()
  is_open(window.babysit)
}
