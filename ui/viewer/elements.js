// The elements of the template that scripts touch.

import { find, findKind } from "./panels/make.js";

/** @param {ParentNode} root the template's section */
export function elementsOf(root) {
  return {
    stage: find(root, ".stage"),
    base: findKind(root, ".base", HTMLCanvasElement),
    over: findKind(root, ".over", HTMLCanvasElement),
    map: findKind(root, ".map", HTMLCanvasElement),
    tip: find(root, ".tip"),
    play: find(root, ".play"),
    loop: find(root, ".loop"),
    now: find(root, ".now"),
    total: find(root, ".total"),
    note: find(root, ".note"),
    words: find(root, ".words"),
    slider: findKind(root, ".threshold", HTMLInputElement),
    shares: find(root, ".shares"),
    own: find(root, ".own"),
    versus: find(root, ".versus"),
    experts: find(root, ".experts"),
    numbers: findKind(root, ".numbers", HTMLDetailsElement),
    sheet: find(root, ".sheet"),
    help: find(root, ".help"),
    keys: find(root, ".keys"),
    zoom: find(root, ".zoom"),
    exports: find(root, ".exports"),
    link: find(root, ".link"),
    picture: find(root, ".picture"),
  };
}
