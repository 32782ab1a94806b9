import type { ServerEvent } from '../types';

/** A socket that the test opens, feeds and breaks. */
export class FakeSocket {
  static made: FakeSocket[] = [];

  constructor() {
    FakeSocket.made.push(this);
  }

  static get last(): FakeSocket {
    return FakeSocket.made[FakeSocket.made.length - 1]!;
  }

  readyState = 0;
  sent: string[] = [];
  onopen: () => void = () => {};
  onmessage: (message: { data: string }) => void = () => {};
  onclose: () => void = () => {};

  send(text: string): void {
    this.sent.push(text);
  }

  close(): void {
    this.readyState = 3;
  }

  open(): void {
    this.readyState = 1;
    this.onopen();
  }

  tell(event: ServerEvent): void {
    this.onmessage({ data: JSON.stringify(event) });
  }

  fail(): void {
    this.readyState = 3;
    this.onclose();
  }
}
