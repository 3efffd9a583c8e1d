// Patches of BokehJS 3.10, where it has no public interface for what is needed. Each function names the
// fault and the upstream issue. If a method is no longer there, it warns and patches nothing.

// Bokeh writes the position of every axis and glyph into a style sheet each time it draws a plot, and in
// between reads the computed style of every line and fill: so the browser recomputes the styles of the
// whole page thirty times a frame
// (https://github.com/bokeh/bokeh/issues/15286).
export function leave_styles_alone() {
  replace("core/dom", "InlineStyleSheet", "_update", function(css) {
    if (this.el.textContent != css) {
      this.el.textContent = css
    }
  })
  // No element of the page is positioned relative to a glyph.
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
