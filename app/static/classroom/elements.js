// Makes elements of the page; text stays text, never markup.

const SVG = "http://www.w3.org/2000/svg"

export function h(tag, given = {}, ...children) {
  return filled(document.createElement(tag), given, children)
}

export function svg(tag, given = {}, ...children) {
  return filled(document.createElementNS(SVG, tag), given, children)
}

function filled(element, given, children) {
  for (const [name, value] of Object.entries(given)) {
    if (name.startsWith("on")) {
      element.addEventListener(name.slice(2), value)
    } else if (value === true) {
      element.setAttribute(name, "")
    } else if (value !== false && value != null) {
      element.setAttribute(name, value)
    }
  }
  element.append(...children.filter((child) => child != null && child !== false))
  return element
}

export function button(label, act, given = {}) {
  return h("button", {type: "button", onclick: act, ...given}, label)
}

// A button that acts only once its question is answered with OK.
export function asking_button(act, label, question) {
  return button(label, () => window.confirm(question) && act(), {class: "plain"})
}

// The child elements become `made`; those that stay keep the focus.
export function replace(parent, made) {
  const kept = made.filter((child) => child != null && child !== false)
  if (kept.length != parent.childNodes.length || kept.some((child, n) => child != parent.childNodes[n])) {
    const focused = parent.contains(document.activeElement) ? document.activeElement : null
    parent.replaceChildren(...kept)
    focused?.focus({preventScroll: true})
  }
}

export function set_text(element, text) {
  if (element.textContent != text) {
    element.textContent = text
  }
}
