(** No reverse derivative on extensional functions (CIRC.polynotfun, CIRC.booldiff.nochain).

    In any category with an operator R satisfying RD.1 to RD.5:
    - [idempotent_absorbing]: if m : A × A -> A is idempotent (copy;m = id) and has a two-sided
      absorbing constant k, every change of A is 0;
    - [idempotent_commutative_char2]: the same if m is idempotent and commutative and changes
      satisfy p + p = 0.
    Hence [no_R_on_functions]: functions between powers of a commutative monoid with two different
    elements, compared extensionally, admit no R as soon as such an m exists; in particular
    [no_R_on_boolean_functions], for + = xor and for + = or.
    Scope: A' = A; R is only asked to satisfy RD.1 to RD.5; no finiteness.  One-sided absorption
    is not treated.
    Source: "Categories of differentiable polynomial circuits for machine learning"
    (arXiv 2203.06430) differentiates polynomials, not functions; "Reverse derivative ascent"
    (arXiv 2101.10488) is the Boolean case. *)

Require Import ReverseDerivative.Category ReverseDerivative.Reverse ReverseDerivative.Diagrams.
From Coq Require Import Bool.

Section General.
  Context {C : CLAC} {R : forall A B : ob C, hom A B -> hom (A × B) A}.
  Arguments R {A B} _.
  Context (H : RD15 (@R)).
  Let raw := rd15_raw _ H.

  Context {A : ob C} (m : hom (A × A) A).
  Context (idem : copy ;; m == id A).

  (** R[copy;m] = R[id]: the two partial derivatives on the diagonal add up to the change. *)
  Lemma on_diagonal X (x d : hom X A) :
    ⟨⟨x, x⟩, d⟩ ;; R m ;; fst ⊕ ⟨⟨x, x⟩, d⟩ ;; R m ;; snd == d.
  Proof.
    rewrite <- (re_id raw _ _ x d) at 3. rewrite <- (R_mor _ H _ _ _ _ idem).
    rewrite (re_comp raw). unfold copy. rewrite (re_pair raw), !(re_id raw). clac. reflexivity.
  Qed.

  (** If m(x, k) = k = m(k, x) then both partial derivatives vanish at (k, k). *)
  Theorem idempotent_absorbing (k : hom one A)
    (absorb_r : ⟨id A, bang A ;; k⟩ ;; m == bang A ;; k)
    (absorb_l : ⟨bang A ;; k, id A⟩ ;; m == bang A ;; k) :
    forall X (d : hom X A), d == O.
  Proof.
    assert (const0 : forall X (x : hom X A) d, ⟨x, d⟩ ;; R (bang A ;; k) == O).
    { intros. rewrite (re_comp raw), (re_bang raw). reflexivity. }
    intros X d. set (kX := bang X ;; k).
    assert (at_k : kX ;; (bang A ;; k) == kX).
    { unfold kX. rewrite (assoc C _ _ _ _ (bang X ;; k)), (to_one X (bang X ;; k ;; bang A) (bang X)).
      reflexivity. }
    rewrite <- (on_diagonal X kX d).
    pose proof (const0 X kX d) as r. rewrite <- (R_mor _ H _ _ _ _ absorb_r) in r.
    pose proof (const0 X kX d) as l. rewrite <- (R_mor _ H _ _ _ _ absorb_l) in l.
    rewrite (re_comp raw), (re_pair raw), (re_id raw), const0, comp_pair, id_r, at_k in r, l.
    rewrite plus_0_r in r. rewrite plus_0_l in l.
    rewrite r, l. apply plus_0_l.
  Qed.

  (** If m is commutative the two are equal, so over Z2 they cancel. *)
  Theorem idempotent_commutative_char2 (comm : swap ;; m == m)
    (char2 : forall X (p : hom X A), p ⊕ p == O) :
    forall X (d : hom X A), d == O.
  Proof.
    intros X d. rewrite <- (on_diagonal X d d).
    assert (same : ⟨⟨d, d⟩, d⟩ ;; R m ;; fst == ⟨⟨d, d⟩, d⟩ ;; R m ;; snd).
    { rewrite <- (R_mor _ H _ _ _ _ comm) at 1. rewrite (re_comp raw). unfold swap.
      rewrite (re_pair raw), (re_fst raw), (re_snd raw). clac. reflexivity. }
    rewrite same. apply char2.
  Qed.
End General.

(** ** The category of functions between powers of a commutative monoid, compared extensionally *)
Record Monoid := {
  M :> Type;
  e0 : M;
  op : M -> M -> M;
  op_comm : forall x y, op x y = op y x;
  op_assoc : forall x y z, op x (op y z) = op (op x y) z;
  op_0_l : forall x, op e0 x = x
}.

Section Functions.
  Context (K : Monoid).

  Fixpoint pow (A : obj unit) : Type :=
    match A with unit_o => unit | wire _ => K | prod_o A B => pow A * pow B end.
  Fixpoint pow_0 (A : obj unit) : pow A :=
    match A with unit_o => tt | wire _ => e0 K | prod_o A B => (pow_0 A, pow_0 B) end.
  Fixpoint pow_op (A : obj unit) : pow A -> pow A -> pow A :=
    match A with
    | unit_o => fun _ _ => tt
    | wire _ => op K
    | prod_o A B => fun x y =>
        (pow_op A (Datatypes.fst x) (Datatypes.fst y), pow_op B (Datatypes.snd x) (Datatypes.snd y))
    end.
  Lemma pow_comm A x y : pow_op A x y = pow_op A y x.
  Proof. induction A; cbn; [reflexivity | apply op_comm | rewrite IHA1, IHA2; reflexivity]. Qed.
  Lemma pow_assoc A x y z : pow_op A x (pow_op A y z) = pow_op A (pow_op A x y) z.
  Proof. induction A; cbn; [reflexivity | apply op_assoc | rewrite IHA1, IHA2; reflexivity]. Qed.
  Lemma pow_0_l A x : pow_op A (pow_0 A) x = x.
  Proof.
    induction A; cbn; [destruct x; reflexivity | apply op_0_l |].
    rewrite IHA1, IHA2. destruct x; reflexivity.
  Qed.

  Definition Functions : CLAC.
  Proof.
    refine {| ob := obj unit; one := unit_o; prod := prod_o;
      hom A B := pow A -> pow B; eqv A B f g := forall x, f x = g x;
      id A x := x; comp A B Z f g x := g (f x); bang A x := tt;
      pair X A B f g x := (f x, g x); fst A B x := Datatypes.fst x; snd A B x := Datatypes.snd x;
      zero A B x := pow_0 B; plus A B f g x := pow_op B (f x) (g x) |};
    cbn; intros; try reflexivity; try congruence.
    - split; red; intros; congruence.
    - destruct (f x); reflexivity.
    - destruct (f x); reflexivity.
    - apply pow_comm.
    - apply pow_assoc.
    - apply pow_0_l.
  Defined.

  Theorem no_R_on_functions (m : K -> K -> K) (k x1 x2 : K) :
    (forall x, m x x = x) -> (forall x, m x k = k) -> (forall x, m k x = k) -> x1 <> x2 ->
    ~ exists R : forall A B : ob Functions, hom A B -> hom (A × B) A, RD15 R.
  Proof.
    intros idem ar al ne [R H]. apply ne.
    pose (w := wire tt : ob Functions).
    pose (m' := (fun p => m (Datatypes.fst p) (Datatypes.snd p)) : @hom Functions (w × w) w).
    assert (z : forall d : K, d = e0 K).
    { intro d.
      refine (idempotent_absorbing (C := Functions) (A := w) H m' _ (fun _ => k) _ _ one
        (fun _ => d) tt); intro x; [apply idem | apply ar | apply al]. }
    rewrite (z x1), (z x2); reflexivity.
  Qed.
End Functions.

Definition Xor : Monoid.
Proof. refine {| M := bool; e0 := false; op := xorb |}; repeat intros []; reflexivity. Defined.
Definition Or : Monoid.
Proof. refine {| M := bool; e0 := false; op := orb |}; repeat intros []; reflexivity. Defined.

(** Boolean functions, whichever of xor and or is the sum: m is conjunction. *)
Theorem no_R_on_boolean_functions :
  (~ exists R : forall A B : ob (Functions Xor), hom A B -> hom (A × B) A, RD15 R) /\
  (~ exists R : forall A B : ob (Functions Or), hom A B -> hom (A × B) A, RD15 R).
Proof.
  split; [apply (no_R_on_functions Xor andb false true false)
         | apply (no_R_on_functions Or andb false true false)];
  try (intros []; reflexivity); discriminate.
Qed.

(** Z2 by the second argument: and is commutative, copy;and = id, and p xor p = 0. *)
Theorem no_R_on_boolean_functions_by_symmetry :
  ~ exists R : forall A B : ob (Functions Xor), hom A B -> hom (A × B) A, RD15 R.
Proof.
  intros [R H]. pose (w := wire tt : ob (Functions Xor)).
  pose (conj := (fun p => andb (Datatypes.fst p) (Datatypes.snd p)) :
    @hom (Functions Xor) (w × w) w).
  assert (z : true = false); [| discriminate].
  refine (idempotent_commutative_char2 (C := Functions Xor) (A := w) H conj _ _ _ one
    (fun _ => true) tt).
  - intro x. apply andb_diag.
  - intro x. apply andb_comm.
  - intros X p x. apply xorb_nilpotent.
Qed.
