/** Loads an object (`plain` or `basic`) with whatever capabilities this process has, and prints how it went. */
import { isBpfError, loadObject } from '../../index.ts';
import { missingCapabilities } from '../../kernel/capabilities.ts';
import { basic } from './generated/basic.ts';
import { plain } from './generated/plain.ts';

try {
  const loader = missingCapabilities(['PERFMON']).length > 0 ? 'direct' : 'light';
  if (process.argv[2] === 'basic') {
    loadObject(basic).close();
    console.log('loaded', loader);
  } else {
    const object = loadObject(plain);
    object.programs.count.testRun({ data: new Uint8Array(64) });
    console.log('loaded', loader, String(object.maps.packets.lookup(0)));
    object.close();
  }
} catch (error) {
  console.log(isBpfError(error) ? error.code : 'other', String(error));
}
