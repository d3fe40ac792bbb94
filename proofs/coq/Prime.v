(** Reverse derivatives of diagrams whose changes differ from their values (RD.generators with the
    types of C.prime): R[f] : A × B' -> A' for f : A -> B, where A'' = A' and
    (A × B)' = A' × B', and only change objects carry a commutative monoid.

    If every generator satisfies RD.2, RD.6 and RD.7 and R respects the generating equations
    ([Sound]), then R is well defined modulo equality ([R_well_defined]), RD.1 to RD.7 hold for
    EVERY diagram ([prime_rdc]; RD.1 for sums, which exist only into change objects) and so do
    CD.1 to CD.7 ([prime_cdc]).
    Scope: an object is a pair (a, a') of trees of wires, values and changes (see PrimeCategory.v);
    given a choice of changes for each wire, [prime] computes a' from a and the objects
    (a, prime a) are closed under products and changes ([prime_prime], [prime_point]); the theorem
    holds for every diagram, hence for those.  A discrete object is one with a' = 1.
    Source: "Reverse derivative categories" (arXiv 1910.07065), retyped. *)

Require Import ReverseDerivative.PrimeCategory ReverseDerivative.PrimeReverse
  ReverseDerivative.PrimeForward.
Require ReverseDerivative.Diagrams.

Notation obj := Diagrams.obj.
Notation unit_o := Diagrams.unit_o.
Notation wire := Diagrams.wire.
Notation prod_o := Diagrams.prod_o.

(** How C.prime's operation on objects arises: p gives the changes of each wire, idempotently. *)
Section Changes.
  Context {W : Type} (p : W -> obj W).
  Fixpoint prime (a : obj W) : obj W :=
    match a with unit_o => unit_o | wire w => p w | prod_o a b => prod_o (prime a) (prime b) end.
  Context (idem : forall w, prime (p w) = p w).
  Lemma prime_prime a : prime (prime a) = prime a.
  Proof. induction a; cbn; [reflexivity | apply idem | rewrite IHa1, IHa2; reflexivity]. Qed.
  (* the source of R[f], a × b' with its changes, is again an object and its changes *)
  Lemma prime_point a b : prime (prod_o a (prime b)) = prod_o (prime a) (prime b).
  Proof. cbn. rewrite prime_prime. reflexivity. Qed.
End Changes.

(** Typed terms: a term of [tm G a a' b b'] is a diagram from (a, a') to (b, b'). *)
Inductive tm {W} (G : obj W -> obj W -> obj W -> obj W -> Type) :
  obj W -> obj W -> obj W -> obj W -> Type :=
| t_gen : forall a a' b b', G a a' b b' -> tm G a a' b b'
| t_id : forall a a', tm G a a' a a'
| t_comp : forall a a' b b' c c', tm G a a' b b' -> tm G b b' c c' -> tm G a a' c c'
| t_bang : forall a a', tm G a a' unit_o unit_o
| t_pair : forall x x' a a' b b', tm G x x' a a' -> tm G x x' b b' ->
    tm G x x' (prod_o a b) (prod_o a' b')
| t_fst : forall a a' b b', tm G (prod_o a b) (prod_o a' b') a a'
| t_snd : forall a a' b b', tm G (prod_o a b) (prod_o a' b') b b'
| t_zero : forall a a' m, tm G a a' m m
| t_plus : forall a a' m, tm G a a' m m -> tm G a a' m m -> tm G a a' m m.
Arguments t_gen {W G a a' b b'} _.
Arguments t_id {W G a a'}.
Arguments t_comp {W G a a' b b' c c'} _ _.
Arguments t_bang {W G a a'}.
Arguments t_pair {W G x x' a a' b b'} _ _.
Arguments t_fst {W G a a' b b'}.
Arguments t_snd {W G a a' b b'}.
Arguments t_zero {W G a a' m}.
Arguments t_plus {W G a a' m} _ _.

Section Equality.
  Context {W} {G : obj W -> obj W -> obj W -> obj W -> Type}.
  Context (E : forall a a' b b', tm G a a' b b' -> tm G a a' b b' -> Prop).
  Implicit Types a b c d m n x : obj W.

  Inductive teq : forall a a' b b', tm G a a' b b' -> tm G a a' b b' -> Prop :=
  | q_gen : forall a a' b b' f g, E a a' b b' f g -> teq a a' b b' f g
  | q_refl : forall a a' b b' f, teq a a' b b' f f
  | q_sym : forall a a' b b' f g, teq a a' b b' f g -> teq a a' b b' g f
  | q_trans : forall a a' b b' f g h,
      teq a a' b b' f g -> teq a a' b b' g h -> teq a a' b b' f h
  | q_comp : forall a a' b b' c c' f f' g g', teq a a' b b' f f' -> teq b b' c c' g g' ->
      teq a a' c c' (t_comp f g) (t_comp f' g')
  | q_pair : forall x x' a a' b b' f f' g g', teq x x' a a' f f' -> teq x x' b b' g g' ->
      teq x x' _ _ (t_pair f g) (t_pair f' g')
  | q_plus : forall a a' m f f' g g', teq a a' m m f f' -> teq a a' m m g g' ->
      teq a a' m m (t_plus f g) (t_plus f' g')
  | q_id_l : forall a a' b b' f, teq a a' b b' (t_comp t_id f) f
  | q_id_r : forall a a' b b' f, teq a a' b b' (t_comp f t_id) f
  | q_assoc : forall a a' b b' c c' d d'
      (f : tm G a a' b b') (g : tm G b b' c c') (h : tm G c c' d d'),
      teq _ _ _ _ (t_comp f (t_comp g h)) (t_comp (t_comp f g) h)
  | q_bang : forall a a' f, teq a a' unit_o unit_o f t_bang
  | q_pair_fst : forall x x' a a' b b' (f : tm G x x' a a') (g : tm G x x' b b'),
      teq _ _ _ _ (t_comp (t_pair f g) t_fst) f
  | q_pair_snd : forall x x' a a' b b' (f : tm G x x' a a') (g : tm G x x' b b'),
      teq _ _ _ _ (t_comp (t_pair f g) t_snd) g
  | q_pair_eta : forall x x' a a' b b' (f : tm G x x' (prod_o a b) (prod_o a' b')),
      teq _ _ _ _ (t_pair (t_comp f t_fst) (t_comp f t_snd)) f
  | q_plus_comm : forall a a' m f g, teq a a' m m (t_plus f g) (t_plus g f)
  | q_plus_assoc : forall a a' m f g h,
      teq a a' m m (t_plus f (t_plus g h)) (t_plus (t_plus f g) h)
  | q_plus_0_l : forall a a' m f, teq a a' m m (t_plus t_zero f) f
  | q_left_plus : forall a a' b b' m (h : tm G a a' b b') (f g : tm G b b' m m),
      teq _ _ _ _ (t_comp h (t_plus f g)) (t_plus (t_comp h f) (t_comp h g))
  | q_left_zero : forall a a' b b' m (h : tm G a a' b b'),
      teq _ _ _ _ (t_comp h (@t_zero W G b b' m)) t_zero
  | q_plus_fst : forall x x' m n (f g : tm G x x' (prod_o m n) (prod_o m n)),
      teq _ _ _ _ (t_comp (t_plus f g) (@t_fst W G m m n n))
                  (t_plus (t_comp f t_fst) (t_comp g t_fst))
  | q_plus_snd : forall x x' m n (f g : tm G x x' (prod_o m n) (prod_o m n)),
      teq _ _ _ _ (t_comp (t_plus f g) (@t_snd W G m m n n))
                  (t_plus (t_comp f t_snd) (t_comp g t_snd))
  | q_zero_fst : forall x x' m n,
      teq _ _ _ _ (t_comp (@t_zero W G x x' (prod_o m n)) (@t_fst W G m m n n)) t_zero
  | q_zero_snd : forall x x' m n,
      teq _ _ _ _ (t_comp (@t_zero W G x x' (prod_o m n)) (@t_snd W G m m n n)) t_zero.

  Definition Diag : PCLAC.
  Proof.
    refine {| ob := obj W; one := unit_o; prod := prod_o; hom := tm G; eqv := teq;
              id := @t_id W G; comp := @t_comp W G; bang := @t_bang W G; pair := @t_pair W G;
              fst := @t_fst W G; snd := @t_snd W G; zero := @t_zero W G; plus := @t_plus W G |};
      try solve [intros; constructor; assumption].
    intros a a' b b'; split; red; intros; [apply q_refl | apply q_sym | eapply q_trans];
      eassumption.
  Defined.
End Equality.

(** A presentation: [rule g] is to be R[g]. *)
Record Presentation := {
  W : Type;
  G : obj W -> obj W -> obj W -> obj W -> Type;
  E : forall a a' b b', tm G a a' b b' -> tm G a a' b b' -> Prop;
  rule : forall a a' b b', G a a' b b' -> tm G (prod_o a b') (prod_o a' b') a' a'
}.
Arguments rule _ {a a' b b'} _.

Section Presented.
  Context (P : Presentation).
  Definition cat : PCLAC := Diag (E P).

  Fixpoint R (a a' b b' : obj (W P)) (f : tm (G P) a a' b b') :
    tm (G P) (prod_o a b') (prod_o a' b') a' a' :=
    match f in tm _ a a' b b' return tm (G P) (prod_o a b') (prod_o a' b') a' a' with
    | t_gen g => rule P g
    | t_id => t_snd
    | t_comp f g =>
        t_comp (t_pair t_fst (t_comp (t_pair (t_comp t_fst f) t_snd) (R _ _ _ _ g))) (R _ _ _ _ f)
    | t_bang => t_zero
    | t_pair f g => t_plus (t_comp (t_pair t_fst (t_comp t_snd t_fst)) (R _ _ _ _ f))
                           (t_comp (t_pair t_fst (t_comp t_snd t_snd)) (R _ _ _ _ g))
    | t_fst => t_pair t_snd t_zero
    | t_snd => t_pair t_zero t_snd
    | t_zero => t_zero
    | t_plus f g => t_plus (R _ _ _ _ f) (R _ _ _ _ g)
    end.

  Definition Rc : RType cat := R.

  (** The hypotheses, as in Diagrams.v. *)
  Record Respects : Prop := {
    gen_rd2 : forall a a' b b' (g : G P a a' b b'), RD2_at Rc (t_gen g : @hom cat a a' b b');
    eqn_R : forall a a' b b' f g, E P a a' b b' f g ->
      @eqv cat _ _ _ _ (R a a' b b' f) (R a a' b b' g)
  }.
  Record Sound : Prop := {
    respects : Respects;
    gen_rd6 : forall a a' b b' (g : G P a a' b b'), RD6_at Rc (t_gen g : @hom cat a a' b b');
    gen_rd7 : forall a a' b b' (g : G P a a' b b'), RD7_at Rc (t_gen g : @hom cat a a' b b')
  }.

  Lemma raw : RawR Rc.
  Proof. split; intros; reflexivity. Qed.

  Section RD1to5.
    Context (H0 : Respects).

    (** 1. RD.2, by induction on the diagram. *)
    Theorem prime_rd2 a a' b b' (f : tm (G P) a a' b b') : RD2_at Rc (f : @hom cat a a' b b').
    Proof.
      induction f as [a a' b b' g | a a' | a a' b b' c c' f IHf g IHg | a a'
        | x x' a a' b b' f IHf g IHg | a a' b b' | a a' b b' | a a' m | a a' m f IHf g IHg].
      - apply (gen_rd2 H0).
      - apply (rd2_id raw).
      - exact (rd2_comp raw (f : @hom cat _ _ _ _) g IHf IHg).
      - apply (rd2_bang raw).
      - exact (rd2_pair raw (f : @hom cat _ _ _ _) g IHf IHg).
      - apply (rd2_fst raw).
      - apply (rd2_snd raw).
      - apply (rd2_zero raw).
      - exact (rd2_plus raw (f : @hom cat _ _ _ _) g IHf IHg).
    Qed.

    (** 2. R respects equality of diagrams, by induction on the equality. *)
    Theorem R_well_defined a a' b b' (f g : tm (G P) a a' b b') :
      teq (E P) a a' b b' f g -> teq (E P) _ _ _ _ (R a a' b b' f) (R a a' b b' g).
    Proof.
      change (teq (E P) a a' b b' f g -> @eqv cat _ _ _ _ (Rc a a' b b' f) (Rc a a' b b' g)).
      intro e; induction e.
      - apply (eqn_R H0); assumption.
      - reflexivity.
      - symmetry; assumption.
      - etransitivity; eassumption.
      - apply (@resp_comp cat _ raw _ _ _ _ _ _ f f' g g'); assumption.
      - apply (@resp_pair cat _ raw _ _ _ _ _ _ f f' g g'); assumption.
      - apply (@resp_plus cat _ raw _ _ _ f f' g g'); assumption.
      - apply (resp_id_l raw (f : @hom cat _ _ _ _)).
      - apply (resp_id_r raw (f : @hom cat _ _ _ _)).
      - apply (resp_assoc raw (f : @hom cat _ _ _ _) g h).
      - apply (resp_bang raw), prime_rd2.
      - apply (@resp_pair_fst cat _ raw _ _ _ _ _ _ f g), prime_rd2.
      - apply (@resp_pair_snd cat _ raw _ _ _ _ _ _ f g), prime_rd2.
      - apply (@resp_pair_eta cat _ raw _ _ _ _ _ _ f), prime_rd2.
      - apply (resp_plus_comm raw (f : @hom cat _ _ _ _) g).
      - apply (resp_plus_assoc raw (f : @hom cat _ _ _ _) g h).
      - apply (resp_plus_0_l raw (f : @hom cat _ _ _ _)).
      - apply (@resp_left_plus cat _ raw _ _ _ _ _ h f g), prime_rd2.
      - apply (@resp_left_zero cat _ raw _ _ _ _ m h), prime_rd2.
      - apply (@resp_plus_fst cat _ raw _ _ _ _ f g).
      - apply (@resp_plus_snd cat _ raw _ _ _ _ f g).
      - apply (@resp_zero_fst cat _ raw).
      - apply (@resp_zero_snd cat _ raw).
    Qed.

    (** 3. RD.1 to RD.5. *)
    Theorem prime_rd15 : RD15 Rc.
    Proof. apply raw_rd15; [exact raw | exact prime_rd2 | exact R_well_defined]. Qed.
  End RD1to5.

  Context (H : Sound).
  Let RD := prime_rd15 (respects H).

  (** 4. RD.6 and RD.7, by induction on the diagram. *)
  Theorem prime_rd6 a a' b b' (f : tm (G P) a a' b b') : RD6_at Rc (f : @hom cat a a' b b').
  Proof.
    induction f as [a a' b b' g | a a' | a a' b b' c c' f IHf g IHg | a a'
      | x x' a a' b b' f IHf g IHg | a a' b b' | a a' b b' | a a' m | a a' m f IHf g IHg].
    - apply (gen_rd6 H).
    - apply (rd6_id RD).
    - exact (rd6_comp RD (f : @hom cat _ _ _ _) g IHf IHg).
    - apply (rd6_bang RD).
    - exact (rd6_pair RD (f : @hom cat _ _ _ _) g IHf IHg).
    - apply (rd6_fst RD).
    - apply (rd6_snd RD).
    - apply (rd6_zero RD).
    - exact (rd6_plus RD (f : @hom cat _ _ _ _) g IHf IHg).
  Qed.

  Theorem prime_rd7 a a' b b' (f : tm (G P) a a' b b') : RD7_at Rc (f : @hom cat a a' b b').
  Proof.
    induction f as [a a' b b' g | a a' | a a' b b' c c' f IHf g IHg | a a'
      | x x' a a' b b' f IHf g IHg | a a' b b' | a a' b b' | a a' m | a a' m f IHf g IHg].
    - apply (gen_rd7 H).
    - apply (rd7_id RD).
    - exact (rd7_comp RD (f : @hom cat _ _ _ _) g IHf IHg).
    - apply (@rd7_bang cat Rc).
    - exact (rd7_pair RD (f : @hom cat _ _ _ _) g IHf IHg).
    - apply (rd7_fst RD).
    - apply (rd7_snd RD).
    - apply (rd7_zero RD).
    - exact (rd7_plus RD (f : @hom cat _ _ _ _) g IHf IHg).
  Qed.

  (** 5. The main theorems. *)
  Theorem prime_rdc : RDC Rc.
  Proof. apply rd67_rdc; [exact RD | exact prime_rd6 | exact prime_rd7]. Qed.

  Theorem prime_cdc : CDC (@D cat Rc).
  Proof. apply rdc_cdc, prime_rdc. Qed.
End Presented.
