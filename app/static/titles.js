// Titles above figures are on as many lines as a narrow figure needs: beyond its edge they would be cut.

const pen = document.createElement("canvas").getContext("2d")

export function fold_title(figure) {
  if (figure.model.title?.text) {
    new ResizeObserver(() => requestAnimationFrame(() => fold(figure))).observe(figure.el)
  }
}

function fold(figure) {
  const {title} = figure.model
  const {width} = figure.frame.bbox
  pen.font = `${title.text_font_size} ${title.text_font}`
  const folded = lines(title.text.split(/\s+/), width).join("\n")
  if (width > 0 && folded != title.text) {
    title.text = folded
    requestAnimationFrame(() => figure.invalidate_layout()) // Bokeh keeps its old height until then
  }
}

function lines(words, width) {
  return words.reduce((done, word) => {
    const longer = `${done.at(-1) ?? ""} ${word}`.trim()
    const fits = done.length > 0 && pen.measureText(longer).width <= width
    return fits ? [...done.slice(0, -1), longer] : [...done, word]
  }, [])
}
