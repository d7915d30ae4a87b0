import { describe, expect, it } from 'vitest';
import { parametersOf, parseTemplate } from './path-template.ts';

describe('a template', () => {
  it.each([
    ['/', '/', {}],
    ['/users/{id}', '/users/7', { id: '7' }],
    ['/users/{id}/files/{path*}', '/users/7/files/a/b.txt', { id: '7', path: 'a/b.txt' }],
    ['/files/{path*}', '/files/', { path: '' }],
    ['/{a}/{b}', '/%2F/x.y', { a: '%2F', b: 'x.y' }],
  ])('%s reads %s', (template, path, values) => {
    expect(Object.fromEntries(parametersOf(parseTemplate(template), path))).toEqual(values);
  });

  it.each([
    ['/a{id}', 'a parameter is a whole segment'],
    ['/{id', 'a parameter is a whole segment'],
    ['/{}', 'a parameter is a whole segment'],
    ['/*', 'a parameter is a whole segment'],
    ['/{id}/{id}', 'a name twice: id'],
    ['/{rest*}/x', 'the rest comes last'],
  ])('%s is refused', (template, reason) => {
    expect(() => parseTemplate(template)).toThrow(reason);
  });
});
