// The page viewer: pictures of pages under boxes of evidence. The console and the one-file report share it.
import {button, fill, h, icon} from './dom.js';

const POINTS = [595.3, 841.9]; // a page whose size is not known yet is taken for A4
const MOST_AT_ONCE = 4;
const ZOOMS = [0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const SHARPNESS = [72, 110, 160, 220]; // the resolutions asked for, dots per inch

export class Viewer {
  /** `picture(page, dpi, signal)` gives a URL; `sizes[page]` are points; `named` is the document's name. */
  constructor({pages, sizes = {}, picture, named, onpick = () => {}, onlight = () => {}}) {
    Object.assign(this, {picture, onpick, onlight, sizes});
    this.zoom = 1;
    this.frames = [];
    this.boxes = new Map();
    this.loading = new Map();
    this.waiting = [];
    this.inner = h('div', {class: 'pages'});
    this.scroller = h('div', {class: 'scroller', tabindex: '0', role: 'region', 'aria-label': `Pages of ${named}`}, this.inner);
    this.rail = h('nav', {class: 'rail', 'aria-label': 'Pages'});
    this.where = h('span', {class: 'where', 'aria-live': 'polite'});
    this.element = h('section', {class: 'viewer', 'aria-label': 'Page viewer'}, this.bar(), this.rail, this.scroller);
    this.seen = new IntersectionObserver((entries) => this.appeared(entries), {root: this.scroller, rootMargin: '400px 0px'});
    this.current = new IntersectionObserver((entries) => this.crossed(entries), {root: this.scroller, rootMargin: '-45% 0px -54% 0px'});
    this.resized = new ResizeObserver(() => this.sharpen());
    this.resized.observe(this.scroller);
    this.setPages(pages);
  }

  bar() {
    const step = (way) => () => {
      const at = ZOOMS.findIndex((zoom) => zoom >= this.zoom);
      this.setZoom(ZOOMS[Math.min(ZOOMS.length - 1, Math.max(0, at + way))]);
    };
    this.scale = h('output', {class: 'scale', text: '100 %'});
    return h('div', {class: 'viewbar'},
      button('', () => this.go(this.page - 1), {kind: 'bare', symbol: 'left', 'aria-label': 'Previous page', title: 'Previous page'}),
      this.where,
      button('', () => this.go(this.page + 1), {kind: 'bare', symbol: 'right', 'aria-label': 'Next page', title: 'Next page'}),
      h('span', {class: 'space'}),
      button('', step(-1), {kind: 'bare', symbol: 'minus', 'aria-label': 'Zoom out', title: 'Zoom out'}),
      this.scale,
      button('', step(1), {kind: 'bare', symbol: 'plus', 'aria-label': 'Zoom in', title: 'Zoom in'}),
      button('', () => this.setZoom(1), {kind: 'bare', symbol: 'fit', 'aria-label': 'Fit to width', title: 'Fit to width'}));
  }

  /** Frames for so many pages; those that are there stay. */
  setPages(pages, sizes = {}) {
    Object.assign(this.sizes, sizes);
    while (this.frames.length < pages) this.frames.push(this.frame(this.frames.length + 1));
    for (const frame of this.frames) this.shape(frame);
    this.page ??= 1;
    this.rail.hidden = this.frames.length < 2;
    this.tell();
  }

  frame(number) {
    const marks = h('div', {class: 'marks', 'aria-hidden': 'true'});
    const sheet = h('div', {class: 'sheet', role: 'img', 'aria-label': `Page ${number}`});
    const holder = h('div', {class: 'page', dataset: {page: String(number)}}, sheet, marks);
    const link = h('button', {type: 'button', class: 'railmark', onclick: () => this.go(number), text: String(number), 'aria-label': `Page ${number}`});
    this.inner.append(holder);
    this.rail.append(link);
    this.seen.observe(holder);
    this.current.observe(holder);
    return {number, holder, sheet, marks, link, dpi: 0};
  }

  shape(frame) {
    const [width, height] = this.sizes[frame.number] ?? this.sizes[1] ?? POINTS;
    frame.holder.style.setProperty('aspect-ratio', `${width} / ${height}`);
    frame.holder.style.setProperty('--natural', `${width}px`);
  }

  /** What to mark: `{pointer, level, page, boxes, page_size, label}` of every located value. */
  setMarks(marks) {
    for (const frame of this.frames) {
      fill(frame.marks);
      frame.link.classList.remove('has');
    }
    this.boxes.clear();
    for (const mark of marks) {
      const frame = this.frames[mark.page - 1];
      if (!frame) continue;
      if (mark.page_size) this.sizes[mark.page] = mark.page_size;
      this.shape(frame);
      frame.link.classList.add('has');
      this.boxes.set(mark.pointer, mark.boxes.map((box) => this.shared(frame, box, mark)));
    }
  }

  /** One box for all values that stand at the same place: pointing lights them all, clicks go through them. */
  shared(frame, box, mark) {
    const there = [...frame.marks.children].find((one) => one.dataset.place === box.join());
    if (!there) return this.box(frame, box, mark);
    there.dataset.pointers += ` ${mark.pointer}`;
    there.title += `, ${mark.label}`;
    return there;
  }

  box(frame, [x0, y0, x1, y1], mark) {
    const [width, height] = this.sizes[frame.number] ?? POINTS;
    const pad = 1.5;
    const made = h('div', {
      class: `box ${mark.level}`,
      title: mark.label,
      style: {
        left: `${(100 * (x0 - pad)) / width}%`, top: `${(100 * (y0 - pad)) / height}%`,
        width: `${(100 * (x1 - x0 + 2 * pad)) / width}%`, height: `${(100 * (y1 - y0 + 2 * pad)) / height}%`,
      },
      dataset: {pointers: mark.pointer, place: [x0, y0, x1, y1].join()},
      onpointerenter: () => this.onlight(pointers()),
      onpointerleave: () => this.onlight([]),
      onclick: () => {
        const all = pointers();
        if (all.length) this.onpick(all[(all.indexOf(this.chosen) + 1) % all.length]);
      },
    });
    const pointers = () => made.dataset.pointers.split(' ').filter(Boolean);
    frame.marks.append(made);
    return made;
  }

  /** Lights the boxes of these values, and no others. */
  light(pointers) {
    this.mark('lit', pointers);
  }

  /** Selects a value and brings it into view. */
  select(pointer) {
    this.chosen = pointer;
    this.mark('chosen', [pointer]);
    const [first] = this.boxes.get(pointer) ?? [];
    if (first) this.reveal(first);
  }

  mark(name, pointers) {
    const wanted = new Set(pointers.flatMap((pointer) => this.boxes.get(pointer) ?? []));
    for (const box of this.inner.querySelectorAll(`.box.${name}`)) if (!wanted.has(box)) box.classList.remove(name);
    for (const box of wanted) box.classList.add(name);
  }

  /** Points at places that are no value: candidates, other sources. */
  point(page, boxes) {
    this.ghosts?.forEach((ghost) => ghost.remove());
    const frame = this.frames[page - 1];
    if (!frame) return;
    this.ghosts = boxes.map((box) => this.box(frame, box, {level: 'ghost', label: 'Another place', pointer: ''}));
    if (this.ghosts.length) this.reveal(this.ghosts[0]);
  }

  reveal(box) {
    const inside = this.scroller.getBoundingClientRect();
    const at = box.getBoundingClientRect();
    const hidden = at.top < inside.top + 24 || at.bottom > inside.bottom - 24 || at.left < inside.left || at.right > inside.right;
    if (hidden) {
      this.scroller.scrollBy({top: at.top - inside.top - inside.height / 3, left: at.left - inside.left - inside.width / 4});
    }
  }

  go(page) {
    const frame = this.frames[Math.min(this.frames.length, Math.max(1, page)) - 1];
    this.scroller.scrollTop = frame.holder.offsetTop - 12;
  }

  setZoom(zoom) {
    const middle = (this.scroller.scrollTop + this.scroller.clientHeight / 2) / this.inner.offsetHeight;
    this.zoom = zoom;
    this.inner.style.setProperty('--zoom', String(zoom));
    this.scale.textContent = `${Math.round(zoom * 100)} %`;
    this.scroller.scrollTop = middle * this.inner.offsetHeight - this.scroller.clientHeight / 2;
    this.sharpen();
  }

  appeared(entries) {
    for (const entry of entries) {
      const frame = this.frames[entry.target.dataset.page - 1];
      frame.near = entry.isIntersecting;
      if (entry.isIntersecting) this.want(frame);
      else this.loading.get(frame)?.abort();
    }
  }

  crossed(entries) {
    for (const entry of entries) if (entry.isIntersecting) this.page = Number(entry.target.dataset.page);
    this.tell();
  }

  tell() {
    this.where.textContent = `Page ${this.page} of ${this.frames.length}`;
    for (const frame of this.frames) {
      if (frame.number === this.page) frame.link.setAttribute('aria-current', 'page');
      else frame.link.removeAttribute('aria-current');
    }
    const link = this.frames[this.page - 1]?.link;
    if (link && !this.rail.hidden) this.rail.scrollTop = link.offsetTop - this.rail.clientHeight / 2;
  }

  /** Asks for finer pictures where the pages in view have grown. */
  sharpen() {
    for (const frame of this.frames) if (frame.near) this.want(frame);
  }

  dpi(frame) {
    const [width] = this.sizes[frame.number] ?? POINTS;
    const wanted = (frame.holder.offsetWidth * (window.devicePixelRatio || 1) * 72) / width;
    return SHARPNESS.find((dpi) => dpi >= wanted * 0.9) ?? SHARPNESS.at(-1);
  }

  want(frame) {
    if (!frame.holder.offsetWidth || frame.failed || this.dpi(frame) <= frame.dpi) return;
    if (!this.waiting.includes(frame) && !this.loading.has(frame)) this.waiting.push(frame);
    this.pump();
  }

  pump() {
    while (this.loading.size < MOST_AT_ONCE && this.waiting.length) {
      const frame = this.waiting.shift();
      if (frame.near) this.load(frame);
    }
  }

  async load(frame) {
    const stop = new AbortController();
    this.loading.set(frame, stop);
    const dpi = this.dpi(frame);
    frame.holder.classList.toggle('loading', !frame.dpi);
    try {
      const url = await this.picture(frame.number, dpi, stop.signal);
      const image = h('img', {alt: '', src: url, draggable: 'false', elementtiming: `page-${frame.number}`});
      await image.decode();
      fill(frame.sheet, image);
      if (frame.url?.startsWith('blob:')) URL.revokeObjectURL(frame.url);
      Object.assign(frame, {dpi, url});
    } catch (fault) {
      if (!stop.signal.aborted) this.refuse(frame, fault);
    } finally {
      this.loading.delete(frame);
      frame.holder.classList.remove('loading');
      if (frame.near) this.want(frame); // it left and came back while this one was being given up
      this.pump();
    }
  }

  refuse(frame, fault) {
    frame.failed = true;
    const again = button('Try again', () => this.retry(), {kind: 'small'});
    fill(frame.sheet, h('div', {class: 'nopicture', role: 'alert'}, icon('alert'), h('p', {text: fault.message}), fault.code === 'absent' ? null : again));
  }

  /** Loads the pages that failed once more. */
  retry() {
    for (const frame of this.frames) if (frame.failed) Object.assign(frame, {failed: false, dpi: 0});
    this.sharpen();
  }

  close() {
    for (const observer of [this.seen, this.current, this.resized]) observer.disconnect();
    for (const stop of this.loading.values()) stop.abort();
    for (const frame of this.frames) if (frame.url?.startsWith('blob:')) URL.revokeObjectURL(frame.url);
  }
}
