// Elements of the page, those in shadow roots included.

// The first one that matches.
export function find(root, selector) {
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

// Finds one that each frame needs: the page is searched again only if the one found before has gone.
export function finder(selector) {
  let known = null
  return () => {
    if (!known?.isConnected) {
      known = find(document.body, selector)
    }
    return known
  }
}

// What has the focus, whatever component it is in.
export function focused(element = document.activeElement) {
  const inner = element?.shadowRoot?.activeElement
  return inner == null ? element : focused(inner)
}

export function find_all(root, selector) {
  const inside = [...root.querySelectorAll("*")].filter((host) => host.shadowRoot != null)
  return [...root.querySelectorAll(selector), ...inside.flatMap((host) => find_all(host.shadowRoot, selector))]
}
