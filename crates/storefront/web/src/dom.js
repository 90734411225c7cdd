// Small helpers that make and update elements. Updates are in place: what has the focus keeps it.

/**
 * Returns a new element. `text` sets its text, a function such as `onclick` adds an event listener, and every other property is an
 * attribute; `undefined` and `false` are left out.
 */
export function element(name, properties = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key === 'text') {
      made.textContent = value;
    } else if (typeof value === 'function') {
      made.addEventListener(key.slice(2), value);
    } else {
      setAttribute(made, key, value);
    }
  }
  made.append(...children);
  return made;
}

/** Sets an attribute if it has another value; `undefined` and `false` remove it. */
export function setAttribute(node, name, value) {
  if (value === undefined || value === false) {
    node.removeAttribute(name);
  } else if (node.getAttribute(name) !== String(value === true ? '' : value)) {
    node.setAttribute(name, value === true ? '' : value);
  }
}

/** Sets the text of an element if it has another one. */
export function setText(node, value) {
  if (node.textContent !== value) {
    node.textContent = value;
  }
}

/** Makes `nodes` the children of `parent`, in this order, and never moves the child that has the focus. */
export function placeInOrder(parent, nodes) {
  const wanted = new Set(nodes);
  for (const child of [...parent.childNodes]) {
    if (!wanted.has(child)) {
      child.remove();
    }
  }
  if (nodes.length === 0) {
    return;
  }
  const anchor = Math.max(
    0,
    nodes.findIndex((node) => node.contains(document.activeElement)),
  );
  if (nodes[anchor].parentNode !== parent) {
    parent.prepend(nodes[anchor]);
  }
  for (let i = anchor - 1; i >= 0; i -= 1) {
    if (nodes[i].nextSibling !== nodes[i + 1]) {
      nodes[i + 1].before(nodes[i]);
    }
  }
  for (let i = anchor + 1; i < nodes.length; i += 1) {
    if (nodes[i].previousSibling !== nodes[i - 1]) {
      nodes[i - 1].after(nodes[i]);
    }
  }
}

/**
 * Returns a function that shows a list of items in `parent`. Items with the same key share an element over time:
 * `create(item, position)` returns it, and `update(element, item)` brings it up to date.
 */
export function keyedList(parent, { key, create, update }) {
  let shown = new Map();
  return (items) => {
    const next = new Map();
    for (const [position, item] of items.entries()) {
      const id = key(item);
      const node = shown.get(id) ?? create(item, position);
      update(node, item);
      next.set(id, node);
    }
    shown = next;
    placeInOrder(parent, [...next.values()]);
  };
}

/** Calls `action` instead of following a link, unless the click asks for a new tab or window. */
export function followInPlace(event, action) {
  if (event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey) {
    event.preventDefault();
    action();
  }
}

let ids = 0;

/** Returns an id that no other element of the page has. */
export function uniqueId(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}
