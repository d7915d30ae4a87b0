/** Starts a reader of a ring buffer and does nothing else: the process has to end by itself, and at once. */
import { loadObject } from '../../index.ts';
import { basic, eventCodec } from './generated/basic.ts';

const object = loadObject(basic);
object.maps.events.read(eventCodec, () => undefined);
console.log('reading');
