// Pictures of products. A drawing takes the place of an image that does not load.

import { element } from './dom.js';
import { drawingAddress, pictureAddress } from './page.js';

/** Shows the picture of a product in an image. `product.name` has no markup. */
export function setPicture(image, product) {
  const src = pictureAddress(product);
  if (image.wantedSource !== src) {
    image.wantedSource = src;
    image.onerror = () => showDrawing(image, drawingAddress(product));
    image.src = src;
  }
}

/** Returns a square picture of a product. */
export function pictureOf(product, size) {
  const image = element('img', { class: 'picture', alt: '', width: size, height: size });
  setPicture(image, product);
  return image;
}

/** Replaces the images that the server wrote and that do not load, also those that failed before this script ran. */
export function replaceBrokenImages() {
  for (const image of document.querySelectorAll('img[data-drawing]')) {
    const replace = () => showDrawing(image, image.dataset.drawing);
    if (image.complete && image.naturalWidth === 0) {
      replace();
    } else {
      image.onerror = replace;
    }
  }
}

function showDrawing(image, address) {
  image.onerror = null;
  image.src = address;
}
