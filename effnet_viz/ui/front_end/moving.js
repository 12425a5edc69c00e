// Dragging what the server answers: the newest place waits until everything shows the one asked for.

const LONGEST_WAIT = 3000; // ms; then the answer was lost

class Steady {
  // `hears` gives who is told, of what has been let go and of what has not.
  constructor(name, hears = () => page.tell) {
    Object.assign(this, { name, hears });
    this.number = 0; // of the last question
    this.waiting = 0;
    this.next = null;
    this.value = null; // newest, until its answer is there
  }

  // `value` is what is asked for, `done` whether it has been let go.
  ask(value, done) {
    this.value = value;
    this.next = { value, done };
    this.send();
  }

  send() {
    if (!this.next || this.waiting) return;
    this.number += 1;
    this.waiting = setTimeout(() => this.goOn(), LONGEST_WAIT);
    const { value, done } = this.next;
    this.hears(done)(this.name, [...value, this.number]);
    this.next = null;
  }

  // The answer to this question is on the page.
  arrived(number) {
    if (this.waiting && number === this.number) this.goOn();
  }

  goOn() {
    clearTimeout(this.waiting);
    this.waiting = 0;
    if (!this.next) this.value = null;
    this.send();
  }

  stop() {
    clearTimeout(this.waiting);
    Object.assign(this, { next: null, value: null, waiting: 0 });
  }
}

// The centre of an object: x, y, its number.
const moving = new Steady("move", (done) => (done ? page.tell : page.follow));
const covering = new Steady("box"); // the covered part: left, top, right, bottom

// An object has moved when the deck says so and all its pictures show the newest photograph.
function objectArrived(answered) {
  const newest = [...photographs.keys()].at(-1);
  const shown = [...page.deck.cells.values()].filter(({ body }) => !body.hidden);
  if (shown.every(({ pane }) => pane.data?.photograph.id === newest)) moving.arrived(answered);
}
