// A field with a list of options below it, as the combobox of the ARIA Authoring Practices. The focus stays in the field.

import { setAttribute } from './dom.js';

/**
 * Makes a combobox of `input` and `popup`. `choose(option)` runs for the element of a chosen option, and `ask()` when the list should be
 * filled. Returns `{ show, close }`.
 */
export function combobox(input, popup, { ask, choose }) {
  let active = -1;
  const options = () => [...popup.querySelectorAll('[role="option"]')];
  const activate = (position) => {
    const all = options();
    active = position;
    all.forEach((option, i) => setAttribute(option, 'aria-selected', String(i === position)));
    setAttribute(input, 'aria-activedescendant', all[position]?.id);
    all[position]?.scrollIntoView({ block: 'nearest' });
  };
  const open = (isOpen) => {
    popup.hidden = !isOpen;
    setAttribute(input, 'aria-expanded', String(isOpen));
    activate(-1);
  };
  const close = () => open(false);
  const show = (children) => {
    popup.replaceChildren(...children);
    open(children.length > 0);
  };
  /** Moves through the options; before the first and after the last one is the field itself. */
  const move = (by) => {
    const places = options().length + 1;
    activate(((active + 1 + by + places) % places) - 1);
  };
  // `false` leaves the key to the browser.
  const keys = {
    ArrowDown: () => (popup.hidden ? ask() : move(1)),
    ArrowUp: () => !popup.hidden && move(-1),
    Escape: () => !popup.hidden && close(),
    Enter: () => !popup.hidden && active >= 0 && choose(options()[active]),
  };
  prepare(input, popup);
  input.addEventListener('keydown', (event) => {
    // Safari sends the Enter that ends a composition with the key code 229 only.
    const isPlain = !event.isComposing && event.keyCode !== 229 && !event.ctrlKey && !event.metaKey;
    if (isPlain && Object.hasOwn(keys, event.key) && keys[event.key]() !== false) {
      event.preventDefault();
    }
  });
  popup.addEventListener('mousedown', (event) => event.preventDefault());
  popup.addEventListener('click', (event) => {
    const option = event.target.closest('[role="option"]');
    if (option) {
      choose(option);
    }
  });
  return { show, close };
}

/** Sets the roles and states that do not change. */
function prepare(input, popup) {
  setAttribute(popup, 'role', 'listbox');
  popup.hidden = true;
  setAttribute(input, 'role', 'combobox');
  setAttribute(input, 'aria-autocomplete', 'list');
  setAttribute(input, 'aria-haspopup', 'listbox');
  setAttribute(input, 'aria-expanded', 'false');
  setAttribute(input, 'aria-controls', popup.id);
}
