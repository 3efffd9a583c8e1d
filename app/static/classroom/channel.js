// The page's end of the class channel (app/server/class_channel.py), and the key that the browser keeps.

const KEY = "babysit class" // in the browser's storage
const RETRY = 1000 // milliseconds
const RETRY_GONE = 5000
const FORBIDDEN = 4403 // the server does not know this page

export class Channel {
  #url
  #token
  #receive
  #socket = null

  // `receive(message)` is called with each message, and with `{connected}` when that changes.
  constructor(base, token, receive) {
    const scheme = window.location.protocol == "https:" ? "wss:" : "ws:"
    this.#url = `${scheme}//${window.location.host}${base}/class`
    this.#token = token
    this.#receive = receive
  }

  open() {
    if (this.#socket != null) {
      return
    }
    this.#socket = new WebSocket(this.#url)
    this.#socket.onopen = () => {
      this.#socket.send(JSON.stringify({token: this.#token}))
      this.#receive({connected: true})
    }
    this.#socket.onmessage = ({data}) => this.#receive(JSON.parse(data))
    this.#socket.onclose = ({code}) => {
      this.#socket = null
      this.#receive({connected: false, forgotten: code == FORBIDDEN})
      setTimeout(() => this.open(), code == FORBIDDEN ? RETRY_GONE : RETRY)
    }
  }

  send(what, given = {}) {
    if (this.#socket?.readyState == WebSocket.OPEN) {
      this.#socket.send(JSON.stringify({do: what, ...given}))
    }
  }
}

// The room that this browser was in: its code and a key. A teacher's key stands behind # in the address,
// which no server and no log sees; before a room is opened, the password does.
export function place() {
  const {searchParams} = new URL(window.location)
  const [teach, room] = [taught().get("teach") ?? searchParams.get("teach"), searchParams.get("room")]
  if (teach != null) {
    return room == null ? {password: teach} : {code: room, key: teach}
  }
  const kept = stored()
  return kept != null && (room == null || room == kept.code) ? kept : room == null ? {} : {code: room}
}

export function keep(code, key) {
  const {searchParams} = new URL(window.location)
  if (taught().has("teach") || searchParams.has("teach")) {
    teach_at(code, key)
    return
  }
  try {
    localStorage.setItem(KEY, JSON.stringify({code, key}))
  } catch {} // a browser that keeps nothing
}

// Whether this is a teacher's page.
export function teaches() {
  return place().password != null || taught().has("teach")
}

function taught() {
  return new URLSearchParams(window.location.hash.slice(1))
}

export function teach_at(code, key) {
  const address = new URL(window.location)
  address.searchParams.delete("teach")
  address.searchParams.set("room", code)
  address.hash = new URLSearchParams({teach: key})
  history.replaceState(null, "", address)
}

export function forget() {
  const address = new URL(window.location)
  address.searchParams.delete("teach")
  address.searchParams.delete("room")
  address.hash = ""
  history.replaceState(null, "", address)
  try {
    localStorage.removeItem(KEY)
  } catch {}
}

// Where students come: this page, without what is the teacher's alone.
export function way_in(code) {
  const {origin, pathname} = window.location
  return `${origin}${pathname}?room=${code}`
}

function stored() {
  try {
    const {code, key} = JSON.parse(localStorage.getItem(KEY))
    return {code: String(code), key: String(key)}
  } catch {
    return null
  }
}
