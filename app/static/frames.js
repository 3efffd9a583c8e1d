// The page's end of the frame channel: asks for a frame, applies it, asks again once it is drawn.
//
// A frame names sources and words; what they mean is decided on the server. Nothing here knows a view:
// figures are those models of the document whose name begins with "view:".

const GONE = [4403, 4500] // the server does not know this page, or can train nothing any more
const RETRY = 1000 // milliseconds
const RETRY_GONE = 5000 // ... it may come to know the page again
const LOOK = 200 // ... from one look at what is in sight to the next, while nothing moves

export function start(token, base, way_back) {
  const scheme = window.location.protocol == "https:" ? "wss:" : "ws:"
  window.babysit = new Channel(`${scheme}//${window.location.host}${base}/frames`, token, way_back)
}

// The buttons in the headlines of plots: what they do is code of the plot's own.
document.addEventListener("click", (event) => {
  const button = event.composedPath().find((element) => element.dataset?.switch != null)
  if (button != null) {
    const pressed = button.ariaPressed != "true"
    button.ariaPressed = String(pressed)
    const name = `switch:${button.dataset.switch}`
    all_models().find((model) => model.name == name)?.execute({pressed}, {pressed})
  }
})

class Channel {
  frames = 0
  run = 0
  row = -1
  step = 0

  #url
  #token
  #socket
  #request = 0 // the number of the last request
  #asked = [] // the views that it named
  #in_sight = [] // those that can be seen; none while the page is still being built
  #awaits = false // whether its answer is still to come
  #scheduled = false
  #page = new Page()
  #way_back

  constructor(url, token, way_back) {
    this.#url = url
    this.#token = token
    this.#way_back = way_back
    this.#open()
    setInterval(() => this.#look(), LOOK)
  }

  #open() {
    this.row = -1
    this.#socket = new WebSocket(this.#url)
    this.#socket.onopen = () => {
      this.#socket.send(JSON.stringify({token: this.#token}))
      this.#way_back.revive()
      this.#ask()
    }
    this.#socket.onmessage = ({data}) => {
      const frame = JSON.parse(data)
      if ((frame.request ?? 0) != this.#request) { // it has crossed a newer one, whose answer tells all
        return
      }
      this.#awaits = false
      this.#page.apply(frame)
      this.run = frame.run
      this.row = frame.row
      this.step = frame.step
      this.frames += 1
      this.#way_back.follow(frame.step, frame.back ?? {})
      this.#ask()
    }
    this.#socket.onclose = ({code}) => {
      this.#page.say("status", "not connected")
      if (GONE.includes(code)) {
        this.#way_back.forget()
      } else {
        this.#way_back.lose()
      }
      setTimeout(() => this.#open(), GONE.includes(code) ? RETRY_GONE : RETRY)
    }
  }

  // A hidden tab has no animation frames, so it asks for nothing.
  #ask() {
    if (this.#scheduled) {
      return
    }
    this.#scheduled = true
    requestAnimationFrame(() => {
      this.#scheduled = false
      const views = this.#in_sight
      const known = !this.#page.redrawn() && !this.#awaits && this.#knows(views)
      this.#asked = views
      if (views.length > 0 && this.#socket.readyState == WebSocket.OPEN) {
        this.#awaits = true
        this.#request += 1
        this.#socket.send(
          JSON.stringify({request: this.#request, since: known ? this.row : -1, views}),
        )
      }
    })
  }

  // A paused run answers nothing: what has come into sight must not wait for it to go on. A new
  // request takes the place of the one before.
  #look() {
    this.#page.notice()
    this.#in_sight = this.#page.views_in_sight()
    if (!this.#knows(this.#in_sight)) {
      this.#ask()
    }
  }

  #knows(views) {
    return views.every((view) => this.#asked.includes(view))
  }
}

class Page {
  #models = new Map() // by name
  #words = new Map() // elements by what they tell
  #elements = new WeakMap() // of plots
  #redrawn = false

  apply({stream = {}, set = {}, reset = {}, text = {}}) {
    for (const [name, columns] of Object.entries(reset)) {
      if (this.#fills(name, columns)) {
        this.#replace(name, columns)
      }
    }
    for (const [name, columns] of Object.entries(stream)) {
      if (this.#fills(name, columns)) {
        const model = this.#model(name)
        model.stream(read(columns, model.data), undefined, {sync: false})
      }
    }
    for (const [name, columns] of Object.entries(set)) {
      if (this.#fits(name, columns)) {
        this.#replace(name, columns)
      }
    }
    for (const [id, words] of Object.entries(text)) {
      this.say(id, words)
    }
  }

  say(id, words) {
    let element = this.#words.get(id)
    if (!element?.isConnected) {
      element = find(document.body, `[data-text="${id}"]`)
      if (element == null) {
        return
      }
      this.#words.set(id, element)
    }
    element.textContent = words
    element.dataset.value = words
  }

  views_in_sight() {
    const views = []
    for (const model of this.#named("view:")) {
      const rect = this.#element(model)?.getBoundingClientRect()
      if (rect != null && rect.width > 0 && rect.bottom > 0 && rect.top < window.innerHeight) {
        views.push(model.name.slice("view:".length))
      }
    }
    return views
  }

  // Bokeh looks through all that is drawn, which is too long to do five times a second.
  #element(model) {
    let element = this.#elements.get(model)
    if (!element?.isConnected) {
      element = window.Bokeh.index.find_one(model)?.el
      this.#elements.set(model, element)
    }
    return element
  }

  // A tab that is opened for the first time brings new plots beside those that are there.
  notice() {
    if (all_models().some((model) => is_view(model) && !current(model.name, this.#models.get(model.name)))) {
      this.#look()
    }
  }

  // Whether plots have taken the place of others since this was last asked: they know nothing yet.
  redrawn() {
    const redrawn = this.#redrawn
    this.#redrawn = false
    return redrawn
  }

  // A new run may have other layers than the plots, which are then about to be replaced.
  #fits(name, columns) {
    const known = this.#model(name)?.data
    return known != null && Object.keys(columns).every((column) => column in known)
  }

  // ... or fewer: rows that some of the columns have no value for.
  #fills(name, columns) {
    const known = this.#model(name)?.data
    return this.#fits(name, columns) && Object.keys(columns).length == Object.keys(known).length
  }

  #replace(name, columns) {
    const model = this.#model(name)
    const data = {...model.data, ...read(columns, model.data)}
    // A frame that was made for a plot that has just been drawn anew; the next one tells all.
    if (new Set(Object.values(data).map((column) => column.length)).size <= 1) {
      model.setv({data}, {sync: false})
    }
  }

  #model(name) {
    if (!current(name, this.#models.get(name))) {
      this.#look()
    }
    return this.#models.get(name)
  }

  #named(prefix) {
    const named = () => [...this.#models].filter(([name]) => name.startsWith(prefix))
    if (named().length == 0 || !named().every(([name, model]) => current(name, model))) {
      this.#look()
    }
    return named().map(([_, model]) => model)
  }

  #look() {
    this.#redrawn = true
    this.#models = new Map(all_models().filter(({name}) => name != null).map((m) => [m.name, m]))
  }
}

function all_models() {
  return window.Bokeh.documents.flatMap((document) => [...document.all_models])
}

function is_view({name}) {
  return name?.startsWith("view:")
}

// Plots that others took the place of lose their names.
function current(name, model) {
  return model?.document != null && model.name == name
}

// JSON knows no NaN; a null in a column of numbers stands for it. Pictures come as text.
function read(columns, known) {
  const clean = {}
  for (const [name, column] of Object.entries(columns)) {
    clean[name] = Array.from(column, (value) => {
      return value?.pixels == null ? value ?? NaN : picture(value, known[name][0].constructor)
    })
  }
  return clean
}

function picture({pixels, shape}, NDArray) {
  const bytes = Uint8Array.from(atob(pixels), (character) => character.charCodeAt(0))
  return new NDArray(bytes.buffer, shape)
}

// The first element that matches, shadow roots included.
function find(root, selector) {
  const element = root.querySelector(selector)
  if (element != null) {
    return element
  }
  for (const host of root.querySelectorAll("*")) {
    if (host.shadowRoot != null) {
      const inside = find(host.shadowRoot, selector)
      if (inside != null) {
        return inside
      }
    }
  }
  return null
}
