// Shows what a slider is about to do while it moves, long before the server hears of it.

const AGAIN = 500 // milliseconds until the next look for a slider that is still to come

export function while_dragged(path, callback) {
  const models = [...window.Bokeh.documents[0].all_models]
  const slider = models.find((model) => model.class_name == "DiscreteSlider" && model.tags.includes(path))
  if (slider == null) {
    setTimeout(() => while_dragged(path, callback), AGAIN)
    return
  }
  slider.data.properties.value.change.connect(() => {
    callback.setv({args: {stops: slider.data.options.map(Number)}}, {sync: false})
    callback.execute(slider.data)
  })
}
