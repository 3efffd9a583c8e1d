// Fits the page to the screen it is on.

const SETTLED = 400 // milliseconds after which the sidebar has gone or come

export function fit(narrowest) {
  const page = [...window.Bokeh.documents[0].all_models].find((model) => model.class_name == "Page")
  if (window.innerWidth < narrowest) { // the sidebar would cover what there is to see
    page.data.sidebar_open = false
  }
  for (const event of ["pointerdown", "keydown"]) {
    window.addEventListener(event, forget_new_models, true)
  }
  // The document's size stays the same when the sidebar opens or closes: nobody tells the plots.
  page.data.properties.sidebar_open.change.connect(() => setTimeout(relayout, SETTLED))
}

function relayout() {
  for (const view of window.Bokeh.index) {
    view.invalidate_layout?.()
  }
}

// A model that the server has added to the page is sent back whole when it is first mentioned, and
// the server warns of it (Bokeh 3.10.2). Making any message, even none, marks them all as known.
function forget_new_models() {
  window.Bokeh.documents[0].create_json_patch([])
}
