// Tells the server what somebody has done, as an event of the page's document.

export function tell(name, values) {
  const {DocumentEvent} = window.Bokeh.require("core/bokeh_events")

  class Told extends DocumentEvent {
    event_name = name

    get event_values() {
      return values
    }
  }

  window.Bokeh.documents[0].event_manager.send_event(new Told())
}
