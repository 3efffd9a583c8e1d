// The controls of the sidebar, Material's own, as app/settings/schema.py describes them.
//
// A control shows the server's value, unless it was turned here and the server has not answered yet.

import bundle from "panel-material-ui"
import {send} from "./events.js"
import {read} from "./numbers.js"

const {React, install_theme_hooks} = bundle
const {CssBaseline, FormControl, IconButton, InputBase, InputLabel, MenuItem, Select, Slider, TextField, Tooltip} =
  bundle.material_ui
const {ThemeProvider} = bundle.material_styles
const {createElement: h, useEffect, useId, useMemo, useRef, useState} = React

const DRAGGED = "babysit-dragged" // the event that tells what a slider is about to do

// Drawn by Panel, as the component of app/settings/component.py.
export function render(props) {
  const theme = install_theme_hooks(props)
  return h(ThemeProvider, {theme}, h(CssBaseline), h(Settings, props))
}

function Settings({model}) {
  const schema = useLatest(model, "schema")
  const state = useLatest(model, "state")
  const {groups, scales} = useMemo(() => JSON.parse(schema), [schema])
  const stops = useMemo(() => scales.map((text) => text.split(" ")), [scales])
  const [turned, turn] = useTurns(model, state.answered)
  const shared = {values: {...state.values, ...turned}, refused: state.refused, own: state.own, stops, turn}
  return h("div", {className: "settings"}, groups.map((group) => h(Group, {key: group.heading, group, ...shared})))
}

// Panel's useState hears of no change between the first render and its effects (Panel 1.10.0).
function useLatest(model, name) {
  const [value, set_value] = model.useState(name)
  useEffect(() => set_value(model[name]), [])
  return value
}

// What was turned here and is not answered yet, and what turns a setting.
function useTurns(model, answered) {
  const [turns, set_turns] = useState({})
  const sent = useRef(answered)
  const turn = (name, value) => {
    sent.current += 1
    set_turns((before) => ({...before, [name]: {value, number: sent.current}}))
    send("set", name, value)
  }
  const waiting = Object.entries(turns).filter(([, {number}]) => number > answered)
  return [Object.fromEntries(waiting.map(([name, {value}]) => [name, value])), turn]
}

// A heading, the everyday settings, and the others once they are unfolded or one of them changes.
function Group({group: {heading, everyday, others, folded}, ...shared}) {
  const values = others.map(({name}) => shared.values[name]).join("|")
  const before = useRef(values)
  const [open, set_open] = useState(others.some(({name, usual}) => shared.values[name] != usual))
  useEffect(() => {
    if (values != before.current) {
      before.current = values
      set_open(true)
    }
  }, [values])
  const more = `${open ? "−" : "+"} ${folded}`
  return h("section", null,
    h("div", {className: "heading"},
      h("h2", null, heading),
      folded && h("button", {type: "button", className: "more", title: more, "data-explain": "button fold", "aria-expanded": open, onClick: () => set_open(!open)}, more),
    ),
    [...everyday, ...open ? others : []].map((control) => h(Control, {key: control.name, control, ...shared})),
  )
}

const KINDS = {slider: Stops, menu: Menu, layers: Layers}

function Control({control, values, refused, turn, ...shared}) {
  const {name} = control
  const refusal = refused?.name == name ? refused.sentence : ""
  return h("div", {className: "control", "data-explain": `setting ${name}`},
    h(KINDS[control.kind], {control, value: values[name], turn: (value) => turn(name, value), wrong: refusal != "", ...shared}),
    refusal && h("p", {role: "alert"}, refusal),
    control.kind == "menu" && knobs_of(control, values).map((knob) =>
      h(Control, {key: knob.label, control: knob, values, refused, turn, ...shared})),
  )
}

function knobs_of({entries, name}, values) {
  return entries.find((entry) => entry.name == values[name])?.knobs ?? []
}

// A slider over round values, and a field for any other; it acts when it is let go.
function Stops({control: {name, label, tip, scale}, value, turn, wrong, stops}) {
  const [dragged, set_dragged] = useState(null)
  const all = useMemo(() => with_stop(stops[scale], value), [stops, scale, value])
  const shown = dragged ?? value
  const drag = (_, place) => {
    set_dragged(all[place])
    window.dispatchEvent(new CustomEvent(DRAGGED, {detail: {name, value: read(all[place])}}))
  }
  const let_go = (_, place) => {
    set_dragged(null)
    if (all[place] != value) {
      turn(all[place])
    }
  }
  return h("div", null,
    h("div", {className: "label"},
      h("span", null, label),
      h(Tip, {tip}),
      h(Field, {label: `${label}, exact value`, value: shown, turn, wrong}),
    ),
    h(Slider, {
      size: "small", min: 0, max: all.length - 1, value: Math.max(all.indexOf(shown), 0),
      onChange: drag, onChangeCommitted: let_go,
      getAriaLabel: () => label, getAriaValueText: () => shown,
    }),
  )
}

// The stops of a slider, and where it stands, if that is between two of them.
function with_stop(stops, value) {
  return stops.includes(value) ? stops : [...stops, value].sort((a, b) => read(a) - read(b))
}

// Words that act on Enter, or when the field is left, and are taken back by Escape.
function useDraft(value, turn) {
  const [draft, set_draft] = useState(null) // null: nobody writes
  const act = () => {
    if (draft != null && draft.trim() != value) {
      turn(draft.trim())
    }
    set_draft(null)
  }
  const on_key = (event) => {
    if (event.key == "Enter") {
      act()
    } else if (event.key == "Escape" && draft != null) {
      event.stopPropagation()
      set_draft(null)
    }
  }
  return {value: draft ?? value, onChange: (event) => set_draft(event.target.value), onBlur: act, onKeyDown: on_key}
}

function Field({label, value, turn, wrong}) {
  const input = {"aria-label": label, size: 1, autoComplete: "off"}
  return h(InputBase, {className: "exact", error: wrong, inputProps: input, ...useDraft(value, turn)})
}

function Menu({control: {name, label, tip, entries}, value, turn, own}) {
  const id = useId()
  const guests = Object.entries(own[name] ?? {}).map(([guest, summary]) => ({name: guest, summary}))
  const all = [...entries, ...guests]
  const chosen = all.find((entry) => entry.name == value)
  return h(FormControl, {fullWidth: true, size: "small"},
    h(InputLabel, {shrink: true}, h("span", {id}, label), h(Tip, {tip: chosen ? `${value}: ${chosen.summary} ${tip}` : tip})),
    h(Select, {
      labelId: id, label: `${label}\u00a0\u00a0\u00a0\u00a0\u00a0`, value: chosen ? value : "",
      onChange: (event) => turn(event.target.value),
    }, all.map((entry) => h(MenuItem, {key: entry.name, value: entry.name}, name_of(entry.name)))),
  )
}

// A data set of the visitor's own, which is on nobody else's menu, has a number behind its name.
function name_of(entry) {
  const [label, number] = entry.split(" #")
  return number == null ? entry : `${label} (yours)`
}

// A row of layers, such as 64, 64; two buttons add one like the last, and take the last away.
function Layers({control: {label, tip, example, fewer, more}, value, turn, wrong}) {
  const layers = parts(value)
  const put = (row) => row.length != layers.length && turn(row.join(", "))
  return h("div", {className: "layers"},
    h(TextField, {
      fullWidth: true, size: "small", label: [label, h(Tip, {key: "tip", tip})], error: wrong,
      placeholder: `such as ${example}`, slotProps: {htmlInput: {"aria-label": label, autoComplete: "off"}, inputLabel: {shrink: true}},
      ...useDraft(value, turn),
    }),
    h(IconButton, {size: "small", color: "primary", "aria-label": fewer, title: fewer, onClick: () => put(layers.slice(0, -1))}, h(Icon, null, "remove")),
    h(IconButton, {size: "small", color: "primary", "aria-label": more, title: more, onClick: () => put([...layers, layers.at(-1) ?? parts(example)[0]])}, h(Icon, null, "add")),
  )
}

function parts(text) {
  return text.split(",").map((part) => part.trim()).filter((part) => part != "")
}

function Tip({tip}) {
  return tip && h(Tooltip, {title: tip, arrow: true, placement: "right"},
    h("span", {className: "icon tip", role: "img"}, "info_outline"))
}

function Icon({children}) {
  return h("span", {className: "icon", "aria-hidden": true}, children)
}
