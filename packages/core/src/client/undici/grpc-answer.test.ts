import { describe, expect, it } from 'vitest';
import { grpcCodeOf } from './grpc-answer.ts';

const GRPC = { 'content-type': 'application/grpc+proto' };

describe('the code of a gRPC call', () => {
  it.each([
    ['0', 0],
    ['14', 14],
    ['16', 16],
    // What is not defined is unknown.
    ['17', 2],
    ['-1', 2],
    ['x', 2],
    [['1', '2'], 2],
  ])('%j: %d', (text, code) => {
    expect(grpcCodeOf(GRPC, { 'grpc-status': text })).toBe(code);
  });

  it('is only in answers of gRPC', () => {
    expect(grpcCodeOf(GRPC, {})).toBeUndefined();
    expect(grpcCodeOf({}, { 'grpc-status': '14' })).toBeUndefined();
    expect(grpcCodeOf({ 'content-type': 'text/html' }, { 'grpc-status': '14' })).toBeUndefined();
  });
});
