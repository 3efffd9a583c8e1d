// Titles above figures are on as many lines as a narrow figure needs: beyond its edge they would be cut.

const pen = document.createElement("canvas").getContext("2d")
const followed = new WeakSet() // models of figures, which are shown again and again

export function fold_title({model}) {
  if (model.title?.text && !followed.has(model)) {
    followed.add(model)
    model.properties.inner_width.change.connect(() => fold(model))
    fold(model)
  }
}

function fold({title, inner_width}) {
  pen.font = `${title.text_font_size} ${title.text_font}`
  title.text = lines(title.text.split(/\s+/), inner_width).join("\n")
}

function lines(words, width) {
  return words.reduce((done, word) => {
    const longer = `${done.at(-1) ?? ""} ${word}`.trim()
    const fits = done.length > 0 && pen.measureText(longer).width <= width
    return fits ? [...done.slice(0, -1), longer] : [...done, word]
  }, [])
}
