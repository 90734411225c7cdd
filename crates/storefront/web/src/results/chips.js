// The chosen filters as chips, each with a button that removes it, and a button that removes all.

import { connectCurrentRefinements } from 'instantsearch.js/es/connectors';
import { element, keyedList } from '../dom.js';
import { attributeLabel } from '../filters/attributes.js';
import { labelOf } from '../filters/list.js';
import { SEPARATOR } from '../page.js';
import { CATEGORY, plainValue } from '../routes.js';
import { plainNumber, price, text } from '../texts.js';

/** Returns `{ section, widgets }`. `onEmpty()` gets the focus when the last chip is gone, and `clearAll()` removes all filters. */
export function chips(onEmpty, clearAll) {
  const list = element('ul', { class: 'chips' });
  const clear = element('button', {
    type: 'button',
    class: 'link-button',
    text: text('clearAll'),
    onclick: clearAll,
  });
  const section = element(
    'div',
    { class: 'chosen', role: 'group', 'aria-label': text('chosenFilters'), hidden: true },
    list,
    clear,
  );
  const show = chipList(list, onEmpty);
  return {
    section,
    widgets: [
      connectCurrentRefinements(({ items }) => {
        const chosen = items.flatMap(chipsOf);
        section.hidden = chosen.length === 0;
        clear.hidden = chosen.length < 2;
        show(chosen);
      })({}),
    ],
  };
}

/** Returns the chips of one field: one for each value, and one for both ends of a range. */
function chipsOf({ attribute, refinements, refine }) {
  const numeric = refinements.filter(({ type }) => type === 'numeric');
  const others = refinements.filter(({ type }) => type !== 'numeric');
  const made = others.map((refinement) => ({
    key: `${attribute}:${refinement.value}`,
    label: valueLabel(attribute, plainValue(String(refinement.value))),
    remove: () => refine(refinement),
  }));
  if (numeric.length > 0) {
    made.push({
      key: attribute,
      label: rangeLabel(attribute, numeric),
      remove: () => numeric.forEach((refinement) => refine(refinement)),
    });
  }
  return made;
}

function valueLabel(attribute, value) {
  if (attribute === 'inStock') {
    return text('onlyInStock');
  }
  if (attribute === CATEGORY) {
    return value.split(SEPARATOR).at(-1);
  }
  return attribute === 'brand' ? value : `${attributeLabel(attribute)}: ${labelOf(value)}`;
}

function rangeLabel(attribute, refinements) {
  const format = attribute === 'price' ? (value) => price(value, undefined, true) : plainNumber;
  const bound = (operator) => refinements.find((refinement) => refinement.operator === operator)?.value;
  const [low, high] = [bound('>='), bound('<=')];
  const key = low === undefined ? 'upTo' : high === undefined ? 'atLeast' : 'between';
  const name = attribute === 'price' ? text('price') : attributeLabel(attribute);
  return `${name}: ${text(key, { low: low !== undefined && format(low), high: high !== undefined && format(high) })}`;
}

/** Returns a function that shows chips. Removing one gives the focus to its neighbour. */
function chipList(list, onEmpty) {
  const remove = (node) => {
    const neighbour = node.nextElementSibling ?? node.previousElementSibling;
    node.removeChip();
    if (neighbour) {
      neighbour.querySelector('button').focus();
    } else {
      onEmpty();
    }
  };
  return keyedList(list, {
    key: (chip) => chip.key,
    create() {
      const node = element('li', {}, element('button', { type: 'button', class: 'chip', onclick: () => remove(node) }));
      return node;
    },
    update(node, { label, remove: removeChip }) {
      node.removeChip = removeChip;
      const button = node.firstChild;
      if (button.title !== text('removeFilter', { filter: label })) {
        button.title = text('removeFilter', { filter: label });
        button.replaceChildren(
          element('span', { class: 'visually-hidden', text: button.title }),
          element('span', { class: 'chip-label', dir: 'auto', 'aria-hidden': 'true', text: label }),
        );
      }
    },
  });
}
