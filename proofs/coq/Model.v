(** Circuits are finer than functions (CIRC.polynotfun), so nothing above is true for lack of
    different diagrams.

    [sound]: polynomial circuits with coefficients in [K] are interpreted by functions on any
    commutative semiring that [K] maps to; equal circuits give equal functions.
    [square_is_not_identity]: over Z2 the circuits copy;mul and id are different, since they differ
    as functions on the field of four elements, although on Z2 they are the same function
    ([square_is_identity_on_Z2]); hence R may, and does, tell them apart.
    Scope: soundness only; completeness of the equations is not treated.
    Source: "Categories of differentiable polynomial circuits for machine learning"
    (arXiv 2203.06430), section 3. *)

Require Import ReverseDerivative.Category ReverseDerivative.Reverse ReverseDerivative.Diagrams
  ReverseDerivative.Polynomial ReverseDerivative.NoGo.
From Coq Require Import Bool.

(** A commutative semiring, with a homomorphism from the coefficients. *)
Record Target (K : Coefficients) := {
  add_monoid :> Monoid;
  tmul : add_monoid -> add_monoid -> add_monoid;
  tone : add_monoid;
  coef : K -> add_monoid;
  tmul_comm : forall x y, tmul x y = tmul y x;
  tmul_assoc : forall x y z, tmul x (tmul y z) = tmul (tmul x y) z;
  tmul_1_l : forall x, tmul tone x = x;
  tmul_0_l : forall x, tmul (e0 add_monoid) x = e0 add_monoid;
  tmul_distr : forall x y z,
    tmul (op add_monoid x y) z = op add_monoid (tmul x z) (tmul y z);
  coef_add : forall s t, coef (s_add K s t) = op add_monoid (coef s) (coef t);
  coef_mul : forall s t, coef (s_mul K s t) = tmul (coef s) (coef t);
  coef_0 : coef (s_zero K) = e0 add_monoid;
  coef_1 : coef (s_one K) = tone
}.
Arguments tmul {K} _ _ _.
Arguments coef {K} _ _.

Section Semantics.
  Context {K : Coefficients} (L : Target K).

  Definition sem_gen A B (g : poly_gen K A B) : pow L A -> pow L B :=
    match g in poly_gen _ A B return pow L A -> pow L B with
    | g_mul => fun p => tmul L (Datatypes.fst p) (Datatypes.snd p)
    | g_const s => fun _ => coef L s
    end.

  Fixpoint sem A B (f : tm (poly_gen K) A B) : pow L A -> pow L B :=
    match f in tm _ A B return pow L A -> pow L B with
    | t_gen g => sem_gen _ _ g
    | t_id A => fun x => x
    | t_comp f g => fun x => sem _ _ g (sem _ _ f x)
    | t_bang A => fun _ => tt
    | t_pair f g => fun x => (sem _ _ f x, sem _ _ g x)
    | t_fst => Datatypes.fst
    | t_snd => Datatypes.snd
    | t_zero => fun _ => pow_0 L _
    | t_plus f g => fun x => pow_op L _ (sem _ _ f x) (sem _ _ g x)
    end.

  Theorem sound A B f g : teq (poly_eqn K) A B f g -> forall x, sem A B f x = sem A B g x.
  Proof.
    induction 1; intro x; cbn [sem]; try congruence; try reflexivity.
    - destruct H; cbn.
      + apply tmul_assoc.
      + apply tmul_comm.
      + rewrite coef_1. apply tmul_1_l.
      + apply tmul_distr.
      + apply tmul_0_l.
      + symmetry. apply coef_add.
      + symmetry. apply coef_mul.
      + apply coef_0.
    - destruct (sem _ _ f x); reflexivity.
    - destruct (sem _ _ f x); reflexivity.
    - apply pow_comm.
    - apply pow_assoc.
    - apply pow_0_l.
  Qed.
End Semantics.

(** ** Z2, and the field of four elements a + b t with t * t = t + 1 *)
Definition CZ2 : Coefficients :=
  {| S := bool; s_add := xorb; s_mul := andb; s_zero := false; s_one := true |}.

Definition Z2 : Target CZ2.
Proof.
  refine {| add_monoid := Xor; tmul := andb; tone := true; coef := (fun s => s) : CZ2 -> Xor |};
    repeat intros []; reflexivity.
Defined.

Definition F4_monoid : Monoid.
Proof.
  refine {| M := bool * bool; e0 := (false, false);
    op x y := (xorb (Datatypes.fst x) (Datatypes.fst y), xorb (Datatypes.snd x) (Datatypes.snd y)) |};
    repeat intros [[] []]; reflexivity.
Defined.

Definition F4_mul (x y : bool * bool) : bool * bool :=
  let (a, b) := x in let (c, d) := y in
  (xorb (a && c) (b && d), xorb (xorb (a && d) (b && c)) (b && d)).

Definition F4 : Target CZ2.
Proof.
  refine {| add_monoid := F4_monoid; tmul := F4_mul; tone := (true, false);
    coef := (fun s : bool => (s, false)) : CZ2 -> F4_monoid |};
    try (repeat intros [[] []]; reflexivity); repeat intros []; reflexivity.
Defined.

Definition square : tm (poly_gen CZ2) w w := t_mul (t_id w) (t_id w).

Theorem square_is_identity_on_Z2 : forall x, sem Z2 w w square x = x.
Proof. intros []; reflexivity. Qed.

Theorem square_is_not_identity : ~ teq (poly_eqn CZ2) w w square (t_id w).
Proof.
  intro e. pose proof (sound F4 _ _ _ _ e (false, true)) as bad. discriminate bad.
Qed.
