// Dots in the colour that a value names.

import { element } from '../dom.js';

const colours = JSON.parse(document.getElementById('colours').textContent);

/** Returns the dot of a value, or nothing if the attribute is no colour or its name is unknown. */
export function swatchOf(attribute, value) {
  const name = value.toLowerCase();
  const colour = /^attributes\.colou?r$/.test(attribute) && Object.hasOwn(colours, name) && colours[name];
  if (!colour) {
    return [];
  }
  const dot = element('span', { class: 'swatch', 'aria-hidden': 'true' });
  dot.style.backgroundColor = colour;
  return [dot];
}
