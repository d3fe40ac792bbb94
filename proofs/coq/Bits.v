(** Bits with integer changes (C.prime, BIT.gates) meet the hypotheses of Prime.v, so that theorem
    is not empty, and values may really differ from their changes.

    Two objects: bits, with values [B] and changes [Z]; numbers, with values and changes [Z].
    Generators: multiplication of numbers, the numbers 1 and -1, the inclusion inc of bits into
    numbers, and on bits: and, not, 0, 1.  Bits have no sum.
    Rules: R[inc](x,v) = v, R[and](x,y,v) = (inc(y) v, inc(x) v), R[not](x,v) = -v.
    Equations: numbers are a commutative ring; inc takes and to product, not x to 1 - x, the bits
    0, 1 to the numbers 0, 1; and is associative, commutative, with unit 1, annihilated by 0; not is
    an involution that exchanges 0 and 1.  NOT among them: copy;and = id, whose two sides have
    different R (NoGo.v).
    Theorems [bits_rdc], [bits_cdc]: RD.1 to RD.7 and CD.1 to CD.7 for every such diagram.
    Scope: integers enter only as a commutative ring; bits form no monoid, so RD.1 is about numbers.
    Source: "Categories of differentiable polynomial circuits for machine learning"
    (arXiv 2203.06430), retyped. *)

Require Import ReverseDerivative.PrimeCategory ReverseDerivative.PrimeReverse
  ReverseDerivative.PrimeForward ReverseDerivative.Prime.
From Coq Require Import Ring.

Inductive sort := bit | num.
Notation B := (wire bit).
Notation Z := (wire num).
Notation B2 := (prod_o B B).
Notation B3 := (prod_o B2 B).
Notation Z2 := (prod_o Z Z).
Notation Z3 := (prod_o Z2 Z).
Notation I := (unit_o).

Inductive gen : obj sort -> obj sort -> obj sort -> obj sort -> Type :=
| g_mul : gen Z2 Z2 Z Z
| g_one : gen I I Z Z
| g_neg : gen I I Z Z
| g_inc : gen B Z Z Z
| g_and : gen B2 Z2 B Z
| g_not : gen B Z B Z
| g_bit : bool -> gen I I B Z.

Notation T := (tm gen).
Definition t_mul {x x'} (f g : T x x' Z Z) : T x x' Z Z := t_comp (t_pair f g) (t_gen g_mul).
Definition t_one {x x'} : T x x' Z Z := t_comp t_bang (t_gen g_one).
Definition t_neg {x x'} : T x x' Z Z := t_comp t_bang (t_gen g_neg).
Definition t_inc {x x'} (f : T x x' B Z) : T x x' Z Z := t_comp f (t_gen g_inc).
Definition t_and {x x'} (f g : T x x' B Z) : T x x' B Z := t_comp (t_pair f g) (t_gen g_and).
Definition t_not {x x'} (f : T x x' B Z) : T x x' B Z := t_comp f (t_gen g_not).
Definition t_bit {x x'} (b : bool) : T x x' B Z := t_comp t_bang (t_gen (g_bit b)).

(** The wires of three numbers and of three bits. *)
Definition p3 {a a'} : T (prod_o (prod_o a a) a) (prod_o (prod_o a' a') a') a a' :=
  t_comp t_fst t_fst.
Definition q3 {a a'} : T (prod_o (prod_o a a) a) (prod_o (prod_o a' a') a') a a' :=
  t_comp t_fst t_snd.
Definition r3 {a a'} : T (prod_o (prod_o a a) a) (prod_o (prod_o a' a') a') a a' := t_snd.

Inductive eqn : forall a a' b b', T a a' b b' -> T a a' b b' -> Prop :=
(* numbers: a commutative ring *)
| mul_assoc : eqn Z3 Z3 Z Z (t_mul p3 (t_mul q3 r3)) (t_mul (t_mul p3 q3) r3)
| mul_comm : eqn Z2 Z2 Z Z (t_mul t_fst t_snd) (t_mul t_snd t_fst)
| mul_unit : eqn Z Z Z Z (t_mul t_one t_id) t_id
| mul_distr : eqn Z3 Z3 Z Z (t_mul (t_plus p3 q3) r3) (t_plus (t_mul p3 r3) (t_mul q3 r3))
| mul_annihil : eqn Z Z Z Z (t_mul t_zero t_id) t_zero
| one_neg : eqn I I Z Z (t_plus t_one t_neg) t_zero
(* inc *)
| inc_and : eqn B2 Z2 Z Z (t_inc (t_and t_fst t_snd)) (t_mul (t_inc t_fst) (t_inc t_snd))
| inc_not : eqn B Z Z Z (t_inc (t_not t_id)) (t_plus t_one (t_mul t_neg (t_inc t_id)))
| inc_true : eqn I I Z Z (t_inc (t_bit true)) t_one
| inc_false : eqn I I Z Z (t_inc (t_bit false)) t_zero
(* bits *)
| and_assoc : eqn B3 Z3 B Z (t_and p3 (t_and q3 r3)) (t_and (t_and p3 q3) r3)
| and_comm : eqn B2 Z2 B Z (t_and t_fst t_snd) (t_and t_snd t_fst)
| and_true : eqn B Z B Z (t_and (t_bit true) t_id) t_id
| and_false : eqn B Z B Z (t_and (t_bit false) t_id) (t_bit false)
| not_not : eqn B Z B Z (t_not (t_not t_id)) t_id
| not_bit : forall b, eqn I I B Z (t_not (t_bit b)) (t_bit (negb b)).

Definition bit_rule a a' b b' (g : gen a a' b b') : T (prod_o a b') (prod_o a' b') a' a' :=
  match g in gen a a' b b' return T (prod_o a b') (prod_o a' b') a' a' with
  | g_mul => t_pair (t_mul (t_comp t_fst t_snd) t_snd) (t_mul (t_comp t_fst t_fst) t_snd)
  | g_one => t_zero
  | g_neg => t_zero
  | g_inc => t_snd
  | g_and => t_pair (t_mul (t_inc (t_comp t_fst t_snd)) t_snd)
                    (t_mul (t_inc (t_comp t_fst t_fst)) t_snd)
  | g_not => t_mul t_neg t_snd
  | g_bit _ => t_zero
  end.

Definition Bits : Presentation := {| W := sort; G := gen; E := eqn; rule := bit_rule |}.

Section BitsTheorem.
  Notation BC := (cat Bits).
  Notation Rop := (Rc Bits).
  Notation R := (Rc Bits _ _ _ _).
  Notation homB x x' := (@hom BC x x' B Z).
  Notation homZ x x' := (@hom BC x x' Z Z).

  Definition mul : @hom BC (@prod BC Z Z) (@prod BC Z Z) Z Z := t_gen g_mul.
  Definition one' : @hom BC one one Z Z := t_gen g_one.
  Definition neg' : @hom BC one one Z Z := t_gen g_neg.
  Definition inc : @hom BC B Z Z Z := t_gen g_inc.
  Definition conj : @hom BC (@prod BC B B) (@prod BC Z Z) B Z := t_gen g_and.
  Definition inv : @hom BC B Z B Z := t_gen g_not.
  Definition const b : @hom BC one one B Z := t_gen (g_bit b).

  Section Ring.
    Context (x x' : obj sort).
    Implicit Types f g h : homZ x x'.
    Definition times f g : homZ x x' := ⟨f, g⟩ ;; mul.
    Definition unity : homZ x x' := bang ;; one'.
    Definition minus1 : homZ x x' := bang ;; neg'.
    #[global] Instance times_Proper : Proper (eqv ==> eqv ==> eqv) times.
    Proof. intros f f' p g g' q; unfold times; rewrite p, q; reflexivity. Qed.

    (* a generating equation, taken at an element u *)
    Lemma at_elem {a a' b b'} (u : @hom BC x x' a a') (f g : @hom BC a a' b b') :
      eqn a a' b b' f g -> u ;; f == u ;; g.
    Proof. intro e. apply comp_mor; [reflexivity | exact (q_gen eqn _ _ _ _ _ _ e)]. Qed.
    Lemma bang_natural {a a'} (u : @hom BC x x' a a') : u ;; bang == bang.
    Proof. apply to_one. Qed.
    Hint Rewrite @bang_natural : pclac.
    Tactic Notation "from" constr(e) "at" constr(u) "as" uconstr(f) "and" uconstr(g) :=
      generalize (at_elem u f g e); unfold times, unity, minus1; clac; trivial.
    Notation p := (fst ;; fst).
    Notation q := (fst ;; snd).

    Lemma times_assoc f g h : times f (times g h) == times (times f g) h.
    Proof.
      from mul_assoc at (⟨⟨f, g⟩, h⟩) as (⟨p, ⟨q, snd⟩ ;; mul⟩ ;; mul) and (⟨⟨p, q⟩ ;; mul, snd⟩ ;; mul).
    Qed.
    Lemma times_comm f g : times f g == times g f.
    Proof. from mul_comm at (⟨f, g⟩) as (⟨fst, snd⟩ ;; mul) and (⟨snd, fst⟩ ;; mul). Qed.
    Lemma times_distr f g h : times (f ⊕ g) h == times f h ⊕ times g h.
    Proof.
      from mul_distr at (⟨⟨f, g⟩, h⟩) as (⟨p ⊕ q, snd⟩ ;; mul) and (⟨p, snd⟩ ;; mul ⊕ ⟨q, snd⟩ ;; mul).
    Qed.
    Lemma times_0_l f : times O f == O.
    Proof. from mul_annihil at f as (⟨O, id⟩ ;; mul) and (@zero BC Z Z Z). Qed.
    Lemma times_1_l f : times unity f == f.
    Proof.
      from mul_unit at f as (⟨bang ;; one', id⟩ ;; mul) and (@id BC Z Z).
    Qed.
    Lemma one_minus1 : unity ⊕ minus1 == O.
    Proof.
      from one_neg at (@bang BC x x') as (bang ;; one' ⊕ bang ;; neg') and (@zero BC one one Z).
    Qed.

    Lemma minus1_squared : times minus1 minus1 == unity.
    Proof.
      rewrite <- (plus_0_l _ _ _ _ (times minus1 minus1)), <- one_minus1.
      rewrite <- (plus_assoc _ _ _ _ unity), <- (times_1_l minus1) at 1.
      rewrite <- times_distr, one_minus1, times_0_l. apply plus_0_r.
    Qed.

    Lemma numbers_semiring : semi_ring_theory O unity (@plus BC x x' Z) times eqv.
    Proof.
      split; intros; [apply plus_0_l | apply plus_comm | apply plus_assoc | apply times_1_l
        | apply times_0_l | apply times_comm | apply times_assoc | apply times_distr].
    Qed.
    Lemma numbers_eqe : sring_eq_ext (@plus BC x x' Z) times eqv.
    Proof. split; [apply plus_Proper | apply times_Proper]. Qed.

    (** inc is a homomorphism to the numbers. *)
    Lemma inc_conj (f g : homB x x') : ⟨f, g⟩ ;; conj ;; inc == times (f ;; inc) (g ;; inc).
    Proof.
      from inc_and at (⟨f, g⟩) as (⟨fst, snd⟩ ;; conj ;; inc) and (⟨fst ;; inc, snd ;; inc⟩ ;; mul).
    Qed.
    Lemma inc_inv (f : homB x x') : f ;; inv ;; inc == unity ⊕ times minus1 (f ;; inc).
    Proof.
      from inc_not at f as (id ;; inv ;; inc) and (bang ;; one' ⊕ ⟨bang ;; neg', id ;; inc⟩ ;; mul).
    Qed.
    Lemma inc_1 : bang ;; const true ;; inc == unity.
    Proof.
      from inc_true at (@bang BC x x') as (bang ;; const true ;; inc) and (bang ;; one').
    Qed.
    Lemma inc_0 : bang ;; const false ;; inc == @zero BC x x' Z.
    Proof.
      from inc_false at (@bang BC x x') as (bang ;; const false ;; inc) and (@zero BC one one Z).
    Qed.
  End Ring.

  Section Natural.
    Context {x x' y y' : obj sort} (k : @hom BC x x' y y').
    Lemma bang_nat : k ;; bang == bang.
    Proof. apply to_one. Qed.
    Lemma times_nat f g : k ;; times y y' f g == times x x' (k ;; f) (k ;; g).
    Proof. unfold times. clac. reflexivity. Qed.
    Lemma unity_nat : k ;; unity y y' == unity x x'.
    Proof. unfold unity. rewrite assoc, bang_nat. reflexivity. Qed.
    Lemma minus1_nat : k ;; minus1 y y' == minus1 x x'.
    Proof. unfold minus1. rewrite assoc, bang_nat. reflexivity. Qed.
    Lemma times_fold (f g : homZ x x') : ⟨f, g⟩ ;; mul == times x x' f g.
    Proof. reflexivity. Qed.
    Lemma unity_fold : bang ;; one' == unity x x'.
    Proof. reflexivity. Qed.
    Lemma minus1_fold : bang ;; neg' == minus1 x x'.
    Proof. reflexivity. Qed.
  End Natural.
  Hint Rewrite @bang_nat @times_nat @unity_nat @minus1_nat @times_fold @unity_fold @minus1_fold
    inc_conj inc_inv inc_1 inc_0 : pclac.

  (** ** R on the generators *)
  Section Rules.
    Context {x x' : obj sort}.
    Lemma re_mul (u : @hom BC x x' (@prod BC Z Z) (@prod BC Z Z)) d :
      ⟨u, d⟩ ;; R mul == ⟨times _ _ (u ;; snd) d, times _ _ (u ;; fst) d⟩.
    Proof.
      change (R mul) with (⟨⟨fst ;; snd, snd⟩ ;; mul, ⟨fst ;; fst, snd⟩ ;; mul⟩ :
        @hom BC (@prod BC (@prod BC Z Z) Z) (@prod BC (@prod BC Z Z) Z)
          (@prod BC Z Z) (@prod BC Z Z)). clac. reflexivity.
    Qed.
    Lemma re_conj (u : @hom BC x x' (@prod BC B B) (@prod BC Z Z)) d :
      ⟨u, d⟩ ;; R conj == ⟨times _ _ (u ;; snd ;; inc) d, times _ _ (u ;; fst ;; inc) d⟩.
    Proof.
      change (R conj) with (⟨⟨fst ;; snd ;; inc, snd⟩ ;; mul, ⟨fst ;; fst ;; inc, snd⟩ ;; mul⟩ :
        @hom BC (@prod BC (@prod BC B B) Z) (@prod BC (@prod BC Z Z) Z)
          (@prod BC Z Z) (@prod BC Z Z)). clac. reflexivity.
    Qed.
    Lemma re_inc (u : homB x x') d : ⟨u, d⟩ ;; R inc == d.
    Proof. apply (pair_snd BC). Qed.
    Lemma re_inv (u : homB x x') d : ⟨u, d⟩ ;; R inv == times _ _ (minus1 _ _) d.
    Proof.
      change (R inv) with (⟨bang ;; neg', snd⟩ ;; mul : @hom BC (@prod BC B Z) (@prod BC Z Z) Z Z).
      clac. reflexivity.
    Qed.
    Lemma re_one (u : @hom BC x x' one one) d : ⟨u, d⟩ ;; R one' == O.
    Proof. apply (to_one (C := BC)). Qed.
    Lemma re_neg (u : @hom BC x x' one one) d : ⟨u, d⟩ ;; R neg' == O.
    Proof. apply (to_one (C := BC)). Qed.
    Lemma re_const b (u : @hom BC x x' one one) d : ⟨u, d⟩ ;; R (const b) == O.
    Proof. apply (to_one (C := BC)). Qed.
  End Rules.

  Let e_id := @re_id _ _ (raw Bits).      Let e_fst := @re_fst _ _ (raw Bits).
  Let e_snd := @re_snd _ _ (raw Bits).    Let e_bang := @re_bang _ _ (raw Bits).
  Let e_zero := @re_zero _ _ (raw Bits).  Let e_plus := @re_plus _ _ (raw Bits).
  Let e_pair := @re_pair _ _ (raw Bits).  Let e_comp := @re_comp _ _ (raw Bits).
  (* R is not yet known to respect equality: unfold it first, leaving its argument as it is.
     The lemmas below do several steps at once, which keeps the terms small. *)
  Section Steps.
    Context {x x' a a' : obj sort} (u : @hom BC x x' a a') (d : homZ x x').
    Lemma re_times (f g : homZ a a') : ⟨u, d⟩ ;; R (⟨f, g⟩ ;; mul) ==
      ⟨u, times _ _ (u ;; g) d⟩ ;; R f ⊕ ⟨u, times _ _ (u ;; f) d⟩ ;; R g.
    Proof. rewrite e_comp, re_mul, e_pair. clac. reflexivity. Qed.
    Lemma re_both (f g : homB a a') : ⟨u, d⟩ ;; R (⟨f, g⟩ ;; conj) ==
      ⟨u, times _ _ (u ;; g ;; inc) d⟩ ;; R f ⊕ ⟨u, times _ _ (u ;; f ;; inc) d⟩ ;; R g.
    Proof. rewrite e_comp, re_conj, e_pair. clac. reflexivity. Qed.
  End Steps.
  Section Paths.
    Context {x x' a a' b b' c c' : obj sort}.
    Context (u : @hom BC x x' (@prod BC (@prod BC a b) c) (@prod BC (@prod BC a' b') c')).
    Lemma re_p d : ⟨u, d⟩ ;; R (fst ;; fst) == ⟨⟨d, O⟩, O⟩.
    Proof. rewrite e_comp, !e_fst. reflexivity. Qed.
    Lemma re_q d : ⟨u, d⟩ ;; R (fst ;; snd) == ⟨⟨O, d⟩, O⟩.
    Proof. rewrite e_comp, e_fst, e_snd. reflexivity. Qed.
  End Paths.
  Ltac unfold_R := repeat (rewrite ?re_p, ?re_q, ?re_times, ?re_both, ?e_comp, ?e_pair, ?e_plus,
    ?e_fst, ?e_snd, ?e_id, ?re_inc, ?re_inv, ?re_one, ?re_neg, ?re_const, ?re_mul, ?re_conj,
    ?e_zero, ?e_bang).

  Section Decide.
    Context (x x' : obj sort).
    Add Ring numbers : (numbers_semiring x x')
      (setoid (eqv_Equivalence BC x x' Z Z) (numbers_eqe x x'), abstract).
    Ltac ring_pairs := lazymatch goal with
      | |- ⟨_, _⟩ == ⟨_, _⟩ => apply pair_mor; ring_pairs
      | |- ⟨_, _⟩ == O => rewrite <- pair_zero; ring_pairs
      | |- _ => ring
      end.
    Ltac decide_R := intros; unfold_R; clac; ring_pairs.
    Notation Z3' := (@prod BC (@prod BC Z Z) Z).
    Notation B3' := (@prod BC (@prod BC B B) B).
    Notation p := (fst ;; fst).
    Notation q := (fst ;; snd).
    Implicit Types (d : homZ x x').

    Lemma mul_add (u : @hom BC x x' (@prod BC Z Z) (@prod BC Z Z)) d e :
      ⟨u, d ⊕ e⟩ ;; R mul == ⟨u, d⟩ ;; R mul ⊕ ⟨u, e⟩ ;; R mul.
    Proof. decide_R. Qed.
    Lemma mul_zero (u : @hom BC x x' (@prod BC Z Z) (@prod BC Z Z)) : ⟨u, O⟩ ;; R mul == O.
    Proof. decide_R. Qed.
    Lemma conj_add (u : @hom BC x x' (@prod BC B B) (@prod BC Z Z)) d e :
      ⟨u, d ⊕ e⟩ ;; R conj == ⟨u, d⟩ ;; R conj ⊕ ⟨u, e⟩ ;; R conj.
    Proof. decide_R. Qed.
    Lemma conj_zero (u : @hom BC x x' (@prod BC B B) (@prod BC Z Z)) : ⟨u, O⟩ ;; R conj == O.
    Proof. decide_R. Qed.
    Lemma inv_add (u : homB x x') d e : ⟨u, d ⊕ e⟩ ;; R inv == ⟨u, d⟩ ;; R inv ⊕ ⟨u, e⟩ ;; R inv.
    Proof. decide_R. Qed.
    Lemma inv_zero (u : homB x x') : ⟨u, O⟩ ;; R inv == O.
    Proof. decide_R. Qed.

    Lemma r_mul_assoc (u : @hom BC x x' Z3' Z3') d :
      ⟨u, d⟩ ;; R (⟨p, ⟨q, snd⟩ ;; mul⟩ ;; mul) == ⟨u, d⟩ ;; R (⟨⟨p, q⟩ ;; mul, snd⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma r_mul_comm (u : @hom BC x x' (@prod BC Z Z) (@prod BC Z Z)) d :
      ⟨u, d⟩ ;; R (⟨fst, snd⟩ ;; mul) == ⟨u, d⟩ ;; R (⟨snd, fst⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma r_mul_unit (u : homZ x x') d :
      ⟨u, d⟩ ;; R (⟨bang ;; one', id⟩ ;; mul) == ⟨u, d⟩ ;; R id.
    Proof. decide_R. Qed.
    Lemma r_mul_distr (u : @hom BC x x' Z3' Z3') d :
      ⟨u, d⟩ ;; R (⟨p ⊕ q, snd⟩ ;; mul) == ⟨u, d⟩ ;; R (⟨p, snd⟩ ;; mul ⊕ ⟨q, snd⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma r_mul_annihil (u : homZ x x') d :
      ⟨u, d⟩ ;; R (⟨O, id⟩ ;; mul) == ⟨u, d⟩ ;; R (@zero BC Z Z Z).
    Proof. decide_R. Qed.
    Lemma r_inc_and (u : @hom BC x x' (@prod BC B B) (@prod BC Z Z)) d :
      ⟨u, d⟩ ;; R (⟨fst, snd⟩ ;; conj ;; inc) == ⟨u, d⟩ ;; R (⟨fst ;; inc, snd ;; inc⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma r_inc_not (u : homB x x') d :
      ⟨u, d⟩ ;; R (id ;; inv ;; inc) ==
      ⟨u, d⟩ ;; R (bang ;; one' ⊕ ⟨bang ;; neg', id ;; inc⟩ ;; mul).
    Proof. decide_R. Qed.
    Lemma r_and_assoc (u : @hom BC x x' B3' Z3') d :
      ⟨u, d⟩ ;; R (⟨p, ⟨q, snd⟩ ;; conj⟩ ;; conj) == ⟨u, d⟩ ;; R (⟨⟨p, q⟩ ;; conj, snd⟩ ;; conj).
    Proof. decide_R. Qed.
    Lemma r_and_comm (u : @hom BC x x' (@prod BC B B) (@prod BC Z Z)) d :
      ⟨u, d⟩ ;; R (⟨fst, snd⟩ ;; conj) == ⟨u, d⟩ ;; R (⟨snd, fst⟩ ;; conj).
    Proof. decide_R. Qed.
    Lemma r_and_true (u : homB x x') d :
      ⟨u, d⟩ ;; R (⟨bang ;; const true, id⟩ ;; conj) == ⟨u, d⟩ ;; R id.
    Proof. decide_R. Qed.
    Lemma r_and_false (u : homB x x') d :
      ⟨u, d⟩ ;; R (⟨bang ;; const false, id⟩ ;; conj) == ⟨u, d⟩ ;; R (bang ;; const false).
    Proof. decide_R. Qed.
    Lemma r_not_not (u : homB x x') d : ⟨u, d⟩ ;; R (id ;; inv ;; inv) == ⟨u, d⟩ ;; R id.
    Proof. unfold_R. rewrite times_assoc, minus1_squared. ring. Qed.
  End Decide.

  Theorem bits_respects : Respects Bits.
  Proof.
    split.
    - intros a a' b b' g; destruct g; (split; [intros x x' u v e | intros x x' u]);
        try apply (to_one (C := BC)).
      + apply mul_add.
      + apply mul_zero.
      + change (⟨u, v ⊕ e⟩ ;; R inc == ⟨u, v⟩ ;; R inc ⊕ ⟨u, e⟩ ;; R inc).
        rewrite !re_inc. reflexivity.
      + apply re_inc.
      + apply conj_add.
      + apply conj_zero.
      + apply inv_add.
      + apply inv_zero.
    - intros a a' b b' f g e. apply (elem_ext (C := BC)); intros x x' u d. destruct e.
      + exact (r_mul_assoc x x' u d).
      + exact (r_mul_comm x x' u d).
      + exact (r_mul_unit x x' u d).
      + exact (r_mul_distr x x' u d).
      + exact (r_mul_annihil x x' u d).
      + apply (to_one (C := BC)).
      + exact (r_inc_and x x' u d).
      + exact (r_inc_not x x' u d).
      + apply (to_one (C := BC)).
      + apply (to_one (C := BC)).
      + exact (r_and_assoc x x' u d).
      + exact (r_and_comm x x' u d).
      + exact (r_and_true x x' u d).
      + exact (r_and_false x x' u d).
      + exact (r_not_not x x' u d).
      + apply (to_one (C := BC)).
  Qed.
  Let RD := prime_rd15 _ bits_respects.
  #[local] Instance R_Proper a a' b b' : Proper (eqv ==> eqv) (Rc Bits a a' b b').
  Proof. intros f g; apply (R_mor _ RD). Qed.
  #[local] Instance D_Proper a a' b b' : Proper (eqv ==> eqv) (@D BC Rop a a' b b').
  Proof. intros f g e; unfold D; rewrite e; reflexivity. Qed.

  (** ** RD.6 and RD.7 of the generators *)
  Notation by2 f g := (⟨f, g⟩ ;; mul).
  Lemma R_mul : R mul == ⟨by2 (fst ;; snd) snd, by2 (fst ;; fst) snd⟩.
  Proof. apply elem_ext; intros. rewrite re_mul. clac. reflexivity. Qed.
  Lemma R_conj : R conj == ⟨by2 (fst ;; snd ;; inc) snd, by2 (fst ;; fst ;; inc) snd⟩.
  Proof. apply elem_ext; intros. rewrite re_conj. clac. reflexivity. Qed.
  Lemma R_inc : R inc == snd.
  Proof. reflexivity. Qed.
  Lemma R_inv : R inv == by2 (bang ;; neg') snd.
  Proof. reflexivity. Qed.

  Let d_id := @de_id _ _ RD.      Let d_fst := @de_fst _ _ RD.    Let d_snd := @de_snd _ _ RD.
  Let d_zero := @de_zero _ _ RD.  Let d_plus := @de_plus _ _ RD.  Let d_pair := @de_pair _ _ RD.
  Let d_comp := @de_comp _ _ RD.  Let d_0 := @de_0 _ _ RD.
  Hint Rewrite d_id d_fst d_snd d_zero d_plus d_pair d_comp d_0 : pclac.

  Lemma de_from_one {x x' b b'} (f : @hom BC one one b b') (u v : @hom BC x x' one one) :
    ⟨u, v⟩ ;; D Rop f == O.
  Proof. rewrite (to_one _ _ v O). apply d_0. Qed.
  Hint Rewrite @de_from_one : pclac.

  Section DecideD.
    Context (x x' : obj sort).
    Add Ring numbers' : (numbers_semiring x x')
      (setoid (eqv_Equivalence BC x x' Z Z) (numbers_eqe x x'), abstract).
    Lemma de_mul (u v : @hom BC x x' (@prod BC Z Z) (@prod BC Z Z)) : ⟨u, v⟩ ;; D Rop mul ==
      times x x' (u ;; fst) (v ;; snd) ⊕ times x x' (v ;; fst) (u ;; snd).
    Proof. rewrite de, R_mul. unfold_R. clac. ring. Qed.
    Lemma de_inc (u : homB x x') v : ⟨u, v⟩ ;; D Rop inc == v.
    Proof. rewrite de, R_inc. unfold_R. clac. reflexivity. Qed.
    Lemma de_inv (u : homB x x') v : ⟨u, v⟩ ;; D Rop inv == times x x' (minus1 x x') v.
    Proof. rewrite de, R_inv. unfold_R. clac. reflexivity. Qed.
    Lemma de_conj (u : @hom BC x x' (@prod BC B B) (@prod BC Z Z)) v : ⟨u, v⟩ ;; D Rop conj ==
      times x x' (u ;; fst ;; inc) (v ;; snd) ⊕ times x x' (v ;; fst) (u ;; snd ;; inc).
    Proof. rewrite de, R_conj. unfold_R. clac. ring. Qed.
    Hint Rewrite de_mul de_inc de_inv de_conj : pclac.

    Lemma mul_rd6 u v w : ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D Rop (R mul) == @pair BC x x' _ _ _ _ u w ;; R mul.
    Proof. rewrite R_mul. clac. apply pair_mor; ring. Qed.
    Lemma conj_rd6 u v w : ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D Rop (R conj) == @pair BC x x' _ _ _ _ u w ;; R conj.
    Proof. rewrite R_conj. clac. apply pair_mor; ring. Qed.
    Lemma inc_rd6 u v w : ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D Rop (R inc) == @pair BC x x' _ _ _ _ u w ;; R inc.
    Proof. rewrite R_inc. clac. reflexivity. Qed.
    Lemma inv_rd6 u v w : ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D Rop (R inv) == @pair BC x x' _ _ _ _ u w ;; R inv.
    Proof. rewrite R_inv. clac. ring. Qed.
  End DecideD.
  Hint Rewrite @de_mul @de_inc @de_inv @de_conj : pclac.

  Lemma D_mul : D Rop mul == by2 (fst ;; fst) (snd ;; snd) ⊕ by2 (snd ;; fst) (fst ;; snd).
  Proof. apply elem_ext; intros. clac. reflexivity. Qed.
  Lemma D_conj : D Rop conj ==
    by2 (fst ;; fst ;; inc) (snd ;; snd) ⊕ by2 (snd ;; fst) (fst ;; snd ;; inc).
  Proof. apply elem_ext; intros. clac. reflexivity. Qed.
  Lemma D_inc : D Rop inc == snd.
  Proof. apply elem_ext; intros. clac. reflexivity. Qed.
  Lemma D_inv : D Rop inv == by2 (bang ;; neg') snd.
  Proof. apply elem_ext; intros. clac. reflexivity. Qed.

  Section Decide7.
    Context (x x' : obj sort).
    Add Ring numbers'' : (numbers_semiring x x')
      (setoid (eqv_Equivalence BC x x' Z Z) (numbers_eqe x x'), abstract).
    Notation symmetric f := (forall u v w t,
      @pair BC x x' _ _ _ _ ⟨u, v⟩ ⟨w, t⟩ ;; D Rop (D Rop f) == ⟨⟨u, w⟩, ⟨v, t⟩⟩ ;; D Rop (D Rop f)).
    Lemma mul_rd7 : symmetric mul.
    Proof. intros. rewrite D_mul. clac. ring. Qed.
    Lemma conj_rd7 : symmetric conj.
    Proof. intros. rewrite D_conj. clac. ring. Qed.
    Lemma inc_rd7 : symmetric inc.
    Proof. intros. rewrite D_inc. clac. reflexivity. Qed.
    Lemma inv_rd7 : symmetric inv.
    Proof. intros. rewrite D_inv. clac. ring. Qed.
  End Decide7.

  Lemma from_one_rd6 b b' (f : @hom BC one one b b') : RD6_at Rop f.
  Proof. intros x x' u v w. apply (to_one (C := BC)). Qed.
  Lemma from_one_rd7 b b' (f : @hom BC one one b b') : RD7_at Rop f.
  Proof.
    intros x x' u v w t. rewrite (to_one _ _ u v), (to_one _ _ w v), (to_one _ _ t v). reflexivity.
  Qed.

  Theorem bits_sound : Sound Bits.
  Proof.
    split.
    - apply bits_respects.
    - intros a a' b b' g; destruct g; try apply from_one_rd6;
        [exact mul_rd6 | exact inc_rd6 | exact conj_rd6 | exact inv_rd6].
    - intros a a' b b' g; destruct g; try apply from_one_rd7;
        [exact mul_rd7 | exact inc_rd7 | exact conj_rd7 | exact inv_rd7].
  Qed.

  (** Main theorems: RD.1 to RD.7 and CD.1 to CD.7 for every diagram of bits and numbers. *)
  Theorem bits_rdc : RDC Rop.
  Proof. apply prime_rdc, bits_sound. Qed.
  Theorem bits_cdc : CDC (@D BC Rop).
  Proof. apply prime_cdc, bits_sound. Qed.
End BitsTheorem.
