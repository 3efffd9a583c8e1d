// Shows when the connection is lost, and stores the link that repeats the run if the server forgets it.

import {built} from "./views.js"

const KEY = "babysit:run"
const LOADS = "babysit:loads" // how often this tab was loaded again in a row, without a page
const MOST_LOADS = 2
const KEPT_EVERY = 1000 // milliseconds
const COURSE = ["lesson", "item", "playlist"] // in the address
const BLINK = 1500 // ... for which a connection may be lost before a message is worth it
const LOST = "The connection to the server is lost. The run waits there, and goes on when it is back. "
const UNBUILT = "The connection to the server was lost before the page was there: it is loaded again. "
const UNDRAWN = "The page could not be drawn: it is loaded again. "
const STAYS_UNBUILT = "The page does not come, though it was loaded again. "
const STUCK = "The page could not be drawn any further. "
const GONE = "The server no longer has the run of before. "

export class Reconnect {
  #before = reloaded() ? from_session(KEY) : null // the run of this tab before it was loaded anew
  #waiting = null // a run that is offered once the page shows the visitor's own, not a lesson's
  #now = {visit: null, link: "", step: 0}
  #own = "" // the step of the visitor's own run while a lesson's is shown
  #kept = 0
  #bar = null
  #offered = null // the visit whose run the bar offers to repeat
  #blink = null // the timer after which a lost connection is shown
  #lost = null // Bokeh's message about its own connection
  #reached = false // whether the server can be reached
  #drawn = false // whether a frame ever was
  #unbuilt = false // whether Bokeh has not got the page, and never will

  constructor(css) {
    const style = document.createElement("style")
    style.textContent = css
    document.head.append(style)
    put_in_session(LOADS, from_session(LOADS) ?? 0)
  }

  // Hear of Bokeh's own connection.
  listen(page) {
    page.on_event("connection_lost", (_, event) => { this.#lost = event })
  }

  // A frame has come, and is drawn.
  follow(step, {visit, link, own}) {
    if (!this.#drawn) {
      this.#drawn = true
      put_in_session(LOADS, 0)
    }
    clearTimeout(this.#blink)
    this.#blink = null
    if (visit != null && visit != this.#now.visit) {
      this.#meet(visit)
    }
    if (this.#bar?.dataset.kind == "lost" || this.#offered == this.#now.visit) {
      this.#close()
    }
    this.#now.link = link ?? this.#now.link
    this.#own = own ?? this.#own
    this.#now.step = this.#own == "" ? step : Number(this.#own)
    this.#offer_what_waits()
    if (Date.now() - this.#kept > KEPT_EVERY) {
      this.#kept = Date.now()
      put_in_session(KEY, this.#now)
    }
  }

  // Bokeh gives up after a while; whoever reaches the server wakes it.
  revive() {
    this.#reached = true
    this.#load_again()
    this.#lost?.reconnect()
  }

  // A frame could not be drawn, and no other will be.
  give_up_frames() {
    if (this.#drawn) { // by which the visitor may want to see what is there
      this.#show("unbuilt", STUCK)
      this.#add_button("Load it again", () => window.location.reload())
    } else {
      this.give_up_page(UNDRAWN)
    }
  }

  // There is no page, and there will be none: it is loaded again once the server can be reached.
  give_up_page(why = UNBUILT) {
    const loads = from_session(LOADS) ?? MOST_LOADS // which nobody counts where nothing is kept
    if (loads < MOST_LOADS) {
      this.#unbuilt = true
      this.#show("unbuilt", why)
      put_in_session(LOADS, loads + 1)
      setTimeout(() => this.#load_again(), BLINK)
    } else {
      this.#show("unbuilt", STAYS_UNBUILT)
      this.#add_button("Load it again", () => window.location.reload())
    }
  }

  #load_again() {
    if (this.#unbuilt && this.#reached) {
      window.location.reload()
    }
  }

  // A server that stops may say first that it does not know the page any more.
  lose() {
    this.#reached = false
    const forgotten = this.#offered != null && this.#offered == this.#now.visit
    if ((this.#bar == null || forgotten) && this.#blink == null) {
      this.#blink = setTimeout(() => this.#show("lost", LOST), BLINK)
    }
  }

  // The server does not know this page.
  forget() {
    this.#reached = false
    clearTimeout(this.#blink)
    this.#offer(this.#now)
  }

  // Another visit than the one before: the server was started anew, or the page was loaded anew.
  #meet(visit) {
    const before = this.#now.visit == null ? this.#before : this.#now
    this.#before = null
    this.#now = {visit, link: "", step: 0}
    const repeated = before?.link == "" && asked().has("run") // by the page itself
    if (before != null && before.visit != visit && !repeated) {
      this.#waiting = before
    }
  }

  // The run of before is not offered in a lesson, but once the visitor's own run is shown.
  #offer_what_waits() {
    const before = this.#waiting
    if (this.#own != "" && this.#bar?.dataset.kind == "gone") {
      this.#close()
    } else if (before != null && this.#own == "") {
      this.#offer(before)
    }
  }

  #offer({visit, link, step}) {
    if (this.#bar?.dataset.kind == "gone" || step == 0) {
      return
    }
    this.#show("gone", GONE)
    this.#offered = visit
    if (link != "") {
      const go = document.createElement("a")
      const address = asked()
      COURSE.forEach((parameter) => address.delete(parameter)) // it would lead into the lesson again
      address.set("run", link)
      address.set("steps", step)
      address.set("then", "play")
      go.href = `?${address}`
      go.textContent = `Repeat it up to step ${step.toLocaleString("en")} and go on`
      this.#bar.append(go)
    }
    this.#add_button("Dismiss", () => {
      this.#waiting = null
      this.#close()
    })
  }

  #add_button(label, act) {
    const button = document.createElement("button")
    button.type = "button"
    button.textContent = label
    button.addEventListener("click", act)
    this.#bar.append(" ", button)
  }

  #show(kind, text) {
    this.#close()
    this.#bar = document.createElement("div")
    this.#bar.role = "alert"
    this.#bar.className = "babysit-bar"
    this.#bar.dataset.kind = kind
    this.#bar.append(text)
    document.body.append(this.#bar)
  }

  #close() {
    this.#bar?.remove()
    this.#bar = null
    this.#offered = null
  }
}

function reloaded() {
  return performance.getEntriesByType("navigation")[0]?.type == "reload"
}

function asked() {
  return new URLSearchParams(window.location.search)
}

// A browser may forbid to keep anything; then only a reload loses the way.
function from_session(key) {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? "null")
  } catch {
    return null
  }
}

function put_in_session(key, value) {
  try {
    sessionStorage.setItem(key, JSON.stringify(value))
  } catch {}
}
