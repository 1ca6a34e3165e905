;; One component calls another through an async-lowered import. The callee returns and exits in its first turn.
(component
  (component $callee
    (core module $code
      (import "" "return" (func $return))
      ;; 0 is EXIT.
      (func (export "f") (result i32) (call $return) (i32.const 0))
      (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
    (core func $return (canon task.return))
    (core instance $code (instantiate $code (with "" (instance (export "return" (func $return))))))
    (func (export "f") async
      (canon lift (core func $code "f") async (callback (core func $code "callback")))))

  (component $caller
    (import "f" (func $f async))
    (core module $code
      (import "" "f" (func $f (result i32)))
      (import "" "return" (func $return))
      (func (export "run") (param $calls i32) (result i32)
        (loop $again
          ;; 2 is RETURNED: the caller gets no subtask to drop.
          (if (i32.ne (call $f) (i32.const 2)) (then unreachable))
          (local.set $calls (i32.sub (local.get $calls) (i32.const 1)))
          (br_if $again (local.get $calls)))
        (call $return)
        (i32.const 0))
      (func (export "callback") (param i32 i32 i32) (result i32) unreachable))
    (core func $f (canon lower (func $f) async))
    (core func $return (canon task.return))
    (core instance $code (instantiate $code
      (with "" (instance (export "f" (func $f)) (export "return" (func $return))))))
    (func (export "run") async (param "calls" u32)
      (canon lift (core func $code "run") async (callback (core func $code "callback")))))

  (instance $callee (instantiate $callee))
  (instance $caller (instantiate $caller (with "f" (func $callee "f"))))
  (export "run" (func $caller "run")))
