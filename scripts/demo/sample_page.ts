/** A picture as an SVG file: a gate with an arrow through it. */
export const PICTURE_SVG =
  `<svg xmlns="http://www.w3.org/2000/svg" width="160" height="96" viewBox="0 0 160 96">
  <path d="M50 90V40a30 30 0 0 1 60 0v50" fill="none" stroke="#345" stroke-width="8"/>
  <path d="M10 64h130m-18-14 18 14-18 14" fill="none" stroke="#c63" stroke-width="6"/>
</svg>
`;

/** A picture as a PNG file: 8 by 8 pixels of one colour. */
export const PICTURE_PNG: Uint8Array<ArrayBuffer> = Uint8Array.from(
  atob(
    "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAIAAABLbSncAAAAEUlEQVR42mM4k2aMFTEMLQkABhVZQTjbH5MAAAAASUVORK5CYII=",
  ),
  (character) => character.charCodeAt(0),
);

/** The page of the sample origin. */
export const PAGE = `<!doctype html>
<html lang="en">
  <meta charset="utf-8">
  <title>Sallyport sample origin</title>
  <style>body { font: 16px/1.5 sans-serif; margin: 3em auto; max-width: 36em }</style>
  <h1>It works</h1>
  <p>This page came through the tunnel.</p>
  <p><img src="/picture.svg" alt="a gate"> <img src="/picture.png" alt="a square" width="96" height="96"></p>
  <p>WebSocket: <output id="socket">connecting</output></p>
  <script>
    const output = document.getElementById("socket");
    const socket = new WebSocket("ws://" + location.host + "/ws");
    socket.onopen = () => socket.send("hello through the tunnel");
    socket.onmessage = (event) => { output.value = event.data; socket.close(1000); };
    socket.onerror = () => { output.value = "failed"; };
  </script>
</html>
`;
