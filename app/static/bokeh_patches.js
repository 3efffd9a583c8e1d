// Where BokehJS 3.10 has to be reached into: it has no public way. Each function says what it mends and
// where that is spoken of. Where a method is no longer there, it warns and leaves everything as it is.

// Bokeh states the place of every axis and every glyph in a style sheet, which it rewrites each time it
// draws a plot; and it asks for the computed style of every line and fill in between, so that the browser
// works out the styles of the whole page thirty times a frame
// (https://github.com/bokeh/bokeh/issues/15286).
export function leave_styles_alone() {
  replace("core/dom", "InlineStyleSheet", "_update", function(css) {
    if (this.el.textContent != css) {
      this.el.textContent = css
    }
  })
  // Nothing is placed by a glyph.
  replace("models/renderers/glyph_renderer", "GlyphRendererView", "update_position", function() {
    this.position.replace(":host { display: none; }")
  })
}

function replace(module, name, method, ours) {
  const owner = window.Bokeh.loader[module]?.[name]?.prototype
  if (typeof owner?.[method] != "function") {
    console.warn(`BokehJS has no ${name}.${method} any more: plots are drawn as it draws them`)
    return
  }
  owner[method] = ours
}

// A model that the server has added to the page is sent back whole when it is first mentioned, and the
// server warns of it (Bokeh 3.10.2). Making any message, even none, marks them all as known.
export function forget_new_models() {
  window.Bokeh.documents[0].create_json_patch?.([])
}
