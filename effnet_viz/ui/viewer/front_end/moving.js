// Dragging the object: the newest place waits until everything shows the one asked for.

const moving = { next: null, centre: null, number: 0, answered: 0, waiting: 0 };
const LONGEST_WAIT = 3000; // ms; then the answer was lost

function moveTo(x, y, done) {
  moving.centre = [clamp(x, 0, 1), clamp(y, 0, 1)];
  moving.next = { centre: moving.centre, done };
  sendMove();
}

function sendMove() {
  if (!moving.next || moving.waiting || !page.movable) return;
  const { centre, done } = moving.next;
  moving.next = null;
  moving.number += 1;
  moving.waiting = setTimeout(sendNext, LONGEST_WAIT);
  page.tell("move", [...centre, done, moving.number]);
}

function sendNext() {
  clearTimeout(moving.waiting);
  moving.waiting = 0;
  if (!moving.next) moving.centre = null;
  sendMove();
}

// Called as parts are updated: the answer is there when the toolbar says so and all pictures show
// its photograph.
function arrived() {
  if (!moving.waiting || moving.answered !== moving.number) return;
  const newest = [...photographs.keys()].at(-1);
  const panes = [...parts].filter((part) => part instanceof Pane);
  if (panes.every(({ data }) => data.photograph.id === newest)) sendNext();
}

function stopMoving() {
  clearTimeout(moving.waiting);
  Object.assign(moving, { next: null, centre: null, waiting: 0 });
}
