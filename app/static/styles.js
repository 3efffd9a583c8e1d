// Keeps Bokeh 3.10 from what costs a plot most of its time and changes nothing here.
//
// It states the place of every axis and every glyph in a style sheet, which it rewrites each time it
// draws a plot; and it asks for the computed style of every line and fill in between, so that the browser works out the styles of the whole page thirty times a frame.

export function leave_styles_alone() {
  const {InlineStyleSheet} = window.Bokeh.loader["core/dom"]
  InlineStyleSheet.prototype._update = function(css) {
    if (this.el.textContent != css) {
      this.el.textContent = css
    }
  }
  // Nothing is placed by a glyph.
  const {GlyphRendererView} = window.Bokeh.loader["models/renderers/glyph_renderer"]
  GlyphRendererView.prototype.update_position = function() {
    this.position.replace(":host { display: none; }")
  }
}
