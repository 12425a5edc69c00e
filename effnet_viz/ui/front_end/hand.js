// Shows once, to whoever uses this browser, that an object can be dragged: a hand that goes to and
// fro on the first picture, until somebody presses on a picture or some seconds have passed.

const HAND = "M8.5 12.5V5.2a1.5 1.5 0 0 1 3 0v5.3-1.4a1.4 1.4 0 0 1 2.8 0v1.6-.8a1.4 1.4 0 0 1 2.7 0v1.5-.3a1.3 1.3 0 0 1 2.5 0v4.6c0 3.4-2.2 6-5.6 6-3 0-4.4-1.2-5.8-3.6L5.3 14.2c-.8-1.4 1-2.5 2-1.3z";
const SHOWN = 8000; // ms

function showHand({ stage, data }, pictures) {
  const [x, y] = data.objects.find(({ target }) => target).centre;
  const hand = svgElement("svg", { class: "hand", viewBox: "0 0 24 24", "aria-hidden": "true", style: `left: ${100 * x}%; top: ${100 * y}%` });
  hand.append(svgElement("path", { d: HAND }));
  stage.append(hand);
  const go = () => {
    hand.remove();
    pictures.removeEventListener("pointerdown", go);
  };
  pictures.addEventListener("pointerdown", go);
  setTimeout(go, SHOWN);
}
