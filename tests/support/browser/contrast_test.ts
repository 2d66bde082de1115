import assert from "node:assert/strict";
import { contrastRatio } from "./contrast.ts";

Deno.test("contrastRatio agrees with known pairs, either way round", () => {
  assert.equal(contrastRatio("rgb(0, 0, 0)", "rgb(255, 255, 255)"), 21);
  assert.equal(contrastRatio("rgb(9, 9, 9)", "rgb(9, 9, 9)"), 1);
  // The grey that just misses AA on white, and the one that just makes it.
  assert.equal(contrastRatio("rgb(119, 119, 119)", "rgb(255, 255, 255)").toFixed(2), "4.48");
  assert.equal(contrastRatio("rgb(255, 255, 255)", "rgb(118, 118, 118)").toFixed(2), "4.54");
});

Deno.test("contrastRatio blends a translucent text, and refuses a translucent background", () => {
  const half = contrastRatio("rgba(0, 0, 0, 0.5)", "rgb(255, 255, 255)");
  assert.equal(half, contrastRatio("rgb(0, 0, 0)", "rgb(255, 255, 255)", 0.5));
  assert.equal(half.toFixed(2), contrastRatio("rgb(127.5, 127.5, 127.5)", "rgb(255, 255, 255)").toFixed(2));
  assert.throws(() => contrastRatio("rgb(0, 0, 0)", "rgba(0, 0, 0, 0)"), /background is not opaque: rgba/);
});
