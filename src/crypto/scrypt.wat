;; The part of scrypt that takes the time: scryptROMix (RFC 7914, section 5), on four words at once.
;;
;; A block of Salsa20 is sixteen words, a matrix of four by four. It lies in memory by diagonals, so that a quarter round on each of the four
;; columns is a few instructions on four vectors, and turning three of the vectors makes rows of columns: the caller puts word 5·i mod 16 in
;; place i, and takes it back from there.
;;
;; `npm run build:wasm` makes scrypt-module.ts of this.
(module
  ;; 128·r·(N + 2) bytes. Two chunks of 128·r bytes, X and Y, and after them V: N chunks, in the first of which the caller puts the input.
  ;; Y is zero. The result is in X.
  (import "scrypt" "memory" (memory 1))

  ;; out = scryptBlockMix(a xor b), RFC 7914, section 4. All three are chunks; out is neither of the others.
  (func $blockMix (param $a i32) (param $b i32) (param $out i32) (param $length i32)
    (local $end i32) (local $odd i32) (local $next i32) (local $last i32) (local $rounds i32)
    (local $x0 v128) (local $x1 v128) (local $x2 v128) (local $x3 v128)
    (local $y0 v128) (local $y1 v128) (local $y2 v128) (local $y3 v128)
    (local $sum v128)
    (local.set $end (i32.add (local.get $a) (local.get $length)))
    ;; Blocks 0, 2, 4 … go to the first half, 1, 3, 5 … to the second.
    (local.set $odd (i32.add (local.get $out) (i32.shr_u (local.get $length) (i32.const 1))))
    (local.set $last (i32.sub (local.get $length) (i32.const 64)))
    (local.set $x0 (v128.xor
      (v128.load           (i32.add (local.get $a) (local.get $last)))
      (v128.load           (i32.add (local.get $b) (local.get $last)))))
    (local.set $x1 (v128.xor
      (v128.load offset=16 (i32.add (local.get $a) (local.get $last)))
      (v128.load offset=16 (i32.add (local.get $b) (local.get $last)))))
    (local.set $x2 (v128.xor
      (v128.load offset=32 (i32.add (local.get $a) (local.get $last)))
      (v128.load offset=32 (i32.add (local.get $b) (local.get $last)))))
    (local.set $x3 (v128.xor
      (v128.load offset=48 (i32.add (local.get $a) (local.get $last)))
      (v128.load offset=48 (i32.add (local.get $b) (local.get $last)))))

    (loop $block
      (local.set $y0 (local.tee $x0 (v128.xor (local.get $x0)
        (v128.xor (v128.load           (local.get $a)) (v128.load           (local.get $b))))))
      (local.set $y1 (local.tee $x1 (v128.xor (local.get $x1)
        (v128.xor (v128.load offset=16 (local.get $a)) (v128.load offset=16 (local.get $b))))))
      (local.set $y2 (local.tee $x2 (v128.xor (local.get $x2)
        (v128.xor (v128.load offset=32 (local.get $a)) (v128.load offset=32 (local.get $b))))))
      (local.set $y3 (local.tee $x3 (v128.xor (local.get $x3)
        (v128.xor (v128.load offset=48 (local.get $a)) (v128.load offset=48 (local.get $b))))))

      ;; Salsa20/8: four times a round of columns and one of rows.
      (local.set $rounds (i32.const 4))
      (loop $doubleRound
        (local.set $sum (i32x4.add (local.get $x0) (local.get $x3)))
        (local.set $x1 (v128.xor (local.get $x1) (i32x4.shl (local.get $sum) (i32.const 7))))
        (local.set $x1 (v128.xor (local.get $x1) (i32x4.shr_u (local.get $sum) (i32.const 25))))
        (local.set $sum (i32x4.add (local.get $x1) (local.get $x0)))
        (local.set $x2 (v128.xor (local.get $x2) (i32x4.shl (local.get $sum) (i32.const 9))))
        (local.set $x2 (v128.xor (local.get $x2) (i32x4.shr_u (local.get $sum) (i32.const 23))))
        (local.set $sum (i32x4.add (local.get $x2) (local.get $x1)))
        (local.set $x3 (v128.xor (local.get $x3) (i32x4.shl (local.get $sum) (i32.const 13))))
        (local.set $x3 (v128.xor (local.get $x3) (i32x4.shr_u (local.get $sum) (i32.const 19))))
        (local.set $sum (i32x4.add (local.get $x3) (local.get $x2)))
        (local.set $x0 (v128.xor (local.get $x0) (i32x4.shl (local.get $sum) (i32.const 18))))
        (local.set $x0 (v128.xor (local.get $x0) (i32x4.shr_u (local.get $sum) (i32.const 14))))

        ;; Turned by one word, two and three.
        (local.set $x1 (i8x16.shuffle 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11 (local.get $x1) (local.get $x1)))
        (local.set $x2 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x2) (local.get $x2)))
        (local.set $x3 (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 (local.get $x3) (local.get $x3)))

        (local.set $sum (i32x4.add (local.get $x0) (local.get $x1)))
        (local.set $x3 (v128.xor (local.get $x3) (i32x4.shl (local.get $sum) (i32.const 7))))
        (local.set $x3 (v128.xor (local.get $x3) (i32x4.shr_u (local.get $sum) (i32.const 25))))
        (local.set $sum (i32x4.add (local.get $x3) (local.get $x0)))
        (local.set $x2 (v128.xor (local.get $x2) (i32x4.shl (local.get $sum) (i32.const 9))))
        (local.set $x2 (v128.xor (local.get $x2) (i32x4.shr_u (local.get $sum) (i32.const 23))))
        (local.set $sum (i32x4.add (local.get $x2) (local.get $x3)))
        (local.set $x1 (v128.xor (local.get $x1) (i32x4.shl (local.get $sum) (i32.const 13))))
        (local.set $x1 (v128.xor (local.get $x1) (i32x4.shr_u (local.get $sum) (i32.const 19))))
        (local.set $sum (i32x4.add (local.get $x1) (local.get $x2)))
        (local.set $x0 (v128.xor (local.get $x0) (i32x4.shl (local.get $sum) (i32.const 18))))
        (local.set $x0 (v128.xor (local.get $x0) (i32x4.shr_u (local.get $sum) (i32.const 14))))

        ;; And back.
        (local.set $x1 (i8x16.shuffle 4 5 6 7 8 9 10 11 12 13 14 15 0 1 2 3 (local.get $x1) (local.get $x1)))
        (local.set $x2 (i8x16.shuffle 8 9 10 11 12 13 14 15 0 1 2 3 4 5 6 7 (local.get $x2) (local.get $x2)))
        (local.set $x3 (i8x16.shuffle 12 13 14 15 0 1 2 3 4 5 6 7 8 9 10 11 (local.get $x3) (local.get $x3)))
        (br_if $doubleRound (local.tee $rounds (i32.sub (local.get $rounds) (i32.const 1)))))

      (v128.store           (local.get $out) (local.tee $x0 (i32x4.add (local.get $x0) (local.get $y0))))
      (v128.store offset=16 (local.get $out) (local.tee $x1 (i32x4.add (local.get $x1) (local.get $y1))))
      (v128.store offset=32 (local.get $out) (local.tee $x2 (i32x4.add (local.get $x2) (local.get $y2))))
      (v128.store offset=48 (local.get $out) (local.tee $x3 (i32x4.add (local.get $x3) (local.get $y3))))

      (local.set $next (i32.add (local.get $out) (i32.const 64)))
      (local.set $out (local.get $odd))
      (local.set $odd (local.get $next))
      (local.set $b (i32.add (local.get $b) (i32.const 64)))
      (br_if $block (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 64))) (local.get $end)))))

  ;; N is a power of two, more than 1.
  (func (export "romix") (param $n i32) (param $r i32)
    (local $length i32) (local $x i32) (local $y i32) (local $v i32) (local $at i32) (local $left i32) (local $swap i32)
    (local.set $length (i32.shl (local.get $r) (i32.const 7)))
    (local.set $y (local.get $length))
    (local.set $v (i32.shl (local.get $length) (i32.const 1)))

    ;; V is filled: each chunk is the mix of the one before, the one after the last is X. Y is still zero.
    (local.set $at (local.get $v))
    (local.set $left (i32.sub (local.get $n) (i32.const 1)))
    (loop $fill
      (call $blockMix (local.get $at) (local.get $y) (i32.add (local.get $at) (local.get $length)) (local.get $length))
      (local.set $at (i32.add (local.get $at) (local.get $length)))
      (br_if $fill (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))
    (call $blockMix (local.get $at) (local.get $y) (local.get $x) (local.get $length))

    ;; And read: X says itself which chunk it is mixed with. The first word of its last block is where it always was.
    (local.set $left (local.get $n))
    (loop $read
      (local.set $at (i32.and
        (i32.load (i32.add (local.get $x) (i32.sub (local.get $length) (i32.const 64))))
        (i32.sub (local.get $n) (i32.const 1))))
      (call $blockMix
        (local.get $x)
        (i32.add (local.get $v) (i32.mul (local.get $at) (local.get $length)))
        (local.get $y)
        (local.get $length))
      (local.set $swap (local.get $x))
      (local.set $x (local.get $y))
      (local.set $y (local.get $swap))
      ;; An even number of times, so that the last result is in the first chunk.
      (br_if $read (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))
