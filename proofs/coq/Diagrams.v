(** Reverse derivatives of diagrams presented by generators and equations (RD.generators).

    Given wire types [W], generators [G], generating equations [E] and a rule for each generator,
    R is defined on the typed terms of the free cartesian left-additive category.  If every
    generator satisfies RD.2, RD.6 and RD.7 and R respects the generating equations ([Sound]), then
    R is well defined modulo equality ([R_well_defined]), RD.1 to RD.7 hold for EVERY diagram
    ([diagrams_rdc]) and so do CD.1 to CD.7 ([diagrams_cdc]).
    Scope: objects are binary trees of wires, A' = A; equality is the least congruence containing
    the equations of a cartesian left-additive category and [E]; no axioms.
    Source: "Reverse derivative categories" (arXiv 1910.07065); for presentations "Categories of
    differentiable polynomial circuits for machine learning" (arXiv 2203.06430). *)

Require Import ReverseDerivative.Category ReverseDerivative.Reverse ReverseDerivative.Forward.

Inductive obj (W : Type) : Type :=
| unit_o : obj W
| wire : W -> obj W
| prod_o : obj W -> obj W -> obj W.
Arguments unit_o {W}.
Arguments wire {W} _.
Arguments prod_o {W} _ _.

(** Typed terms. *)
Inductive tm {W} (G : obj W -> obj W -> Type) : obj W -> obj W -> Type :=
| t_gen : forall A B, G A B -> tm G A B
| t_id : forall A, tm G A A
| t_comp : forall A B C, tm G A B -> tm G B C -> tm G A C
| t_bang : forall A, tm G A unit_o
| t_pair : forall X A B, tm G X A -> tm G X B -> tm G X (prod_o A B)
| t_fst : forall A B, tm G (prod_o A B) A
| t_snd : forall A B, tm G (prod_o A B) B
| t_zero : forall A B, tm G A B
| t_plus : forall A B, tm G A B -> tm G A B -> tm G A B.
Arguments t_gen {W G A B} _.
Arguments t_id {W G} A.
Arguments t_comp {W G A B C} _ _.
Arguments t_bang {W G} A.
Arguments t_pair {W G X A B} _ _.
Arguments t_fst {W G A B}.
Arguments t_snd {W G A B}.
Arguments t_zero {W G A B}.
Arguments t_plus {W G A B} _ _.

(** Equality of diagrams: an equivalence, a congruence, the equations of [CLAC], and [E]. *)
Inductive teq {W} {G : obj W -> obj W -> Type} (E : forall A B, tm G A B -> tm G A B -> Prop) :
  forall A B, tm G A B -> tm G A B -> Prop :=
| q_gen : forall A B f g, E A B f g -> teq E A B f g
| q_refl : forall A B f, teq E A B f f
| q_sym : forall A B f g, teq E A B f g -> teq E A B g f
| q_trans : forall A B f g h, teq E A B f g -> teq E A B g h -> teq E A B f h
| q_comp : forall A B C f f' g g', teq E A B f f' -> teq E B C g g' ->
    teq E A C (t_comp f g) (t_comp f' g')
| q_pair : forall X A B f f' g g', teq E X A f f' -> teq E X B g g' ->
    teq E X (prod_o A B) (t_pair f g) (t_pair f' g')
| q_plus : forall A B f f' g g', teq E A B f f' -> teq E A B g g' ->
    teq E A B (t_plus f g) (t_plus f' g')
| q_id_l : forall A B f, teq E A B (t_comp (t_id A) f) f
| q_id_r : forall A B f, teq E A B (t_comp f (t_id B)) f
| q_assoc : forall A B C D f (g : tm G B C) h,
    teq E A D (t_comp f (t_comp g h)) (t_comp (t_comp f g) h)
| q_bang : forall A f, teq E A unit_o f (t_bang A)
| q_pair_fst : forall X A B f (g : tm G X B), teq E X A (t_comp (t_pair f g) t_fst) f
| q_pair_snd : forall X A B (f : tm G X A) g, teq E X B (t_comp (t_pair f g) t_snd) g
| q_pair_eta : forall X A B f,
    teq E X (prod_o A B) (t_pair (t_comp f t_fst) (t_comp f t_snd)) f
| q_plus_comm : forall A B f g, teq E A B (t_plus f g) (t_plus g f)
| q_plus_assoc : forall A B f g h, teq E A B (t_plus f (t_plus g h)) (t_plus (t_plus f g) h)
| q_plus_0_l : forall A B f, teq E A B (t_plus t_zero f) f
| q_left_plus : forall A B C (h : tm G A B) f g,
    teq E A C (t_comp h (t_plus f g)) (t_plus (t_comp h f) (t_comp h g))
| q_left_zero : forall A B C (h : tm G A B), teq E A C (t_comp h t_zero) t_zero
| q_plus_fst : forall X A B (f g : tm G X (prod_o A B)),
    teq E X A (t_comp (t_plus f g) t_fst) (t_plus (t_comp f t_fst) (t_comp g t_fst))
| q_plus_snd : forall X A B (f g : tm G X (prod_o A B)),
    teq E X B (t_comp (t_plus f g) t_snd) (t_plus (t_comp f t_snd) (t_comp g t_snd))
| q_zero_fst : forall X A B, teq E X A (t_comp (@t_zero W G X (prod_o A B)) t_fst) t_zero
| q_zero_snd : forall X A B, teq E X B (t_comp (@t_zero W G X (prod_o A B)) t_snd) t_zero.

(** The diagrams form a cartesian left-additive category: the free one on [G] and [E]. *)
Definition Diag {W} {G : obj W -> obj W -> Type} (E : forall A B, tm G A B -> tm G A B -> Prop) :
  CLAC.
Proof.
  refine {| ob := obj W; one := unit_o; prod := prod_o; hom := tm G; eqv := teq E;
            id := @t_id W G; comp := @t_comp W G; bang := @t_bang W G; pair := @t_pair W G;
            fst := @t_fst W G; snd := @t_snd W G; zero := @t_zero W G; plus := @t_plus W G |};
    try solve [intros; constructor; assumption].
  intros A B; split; red; intros; [apply q_refl | apply q_sym | eapply q_trans]; eassumption.
Defined.

(** A presentation: [rule g] is to be R[g]. *)
Record Presentation := {
  W : Type;
  G : obj W -> obj W -> Type;
  E : forall A B, tm G A B -> tm G A B -> Prop;
  rule : forall A B, G A B -> tm G (prod_o A B) A
}.
Arguments rule _ {A B} _.

Section Presented.
  Context (P : Presentation).
  Definition cat : CLAC := Diag (E P).

  (** R on terms: the rules on generators, RD.1, RD.3, RD.4, RD.5 on everything else. *)
  Fixpoint R (A B : obj (W P)) (f : tm (G P) A B) : tm (G P) (prod_o A B) A :=
    match f in tm _ A B return tm (G P) (prod_o A B) A with
    | t_gen g => rule P g
    | t_id A => t_snd
    | t_comp f g => t_comp (t_pair t_fst (t_comp (t_pair (t_comp t_fst f) t_snd) (R _ _ g))) (R _ _ f)
    | t_bang A => t_zero
    | t_pair f g => t_plus (t_comp (t_pair t_fst (t_comp t_snd t_fst)) (R _ _ f))
                           (t_comp (t_pair t_fst (t_comp t_snd t_snd)) (R _ _ g))
    | t_fst => t_pair t_snd t_zero
    | t_snd => t_pair t_zero t_snd
    | t_zero => t_zero
    | t_plus f g => t_plus (R _ _ f) (R _ _ g)
    end.

  (** The same operator, seen in the category of diagrams. *)
  Definition Rc : forall A B : ob cat, hom A B -> hom (A × B) A := R.

  (** The hypotheses: RD.2 for the generators and R[s] = R[t] for each equation s = t (enough for
      RD.1 to RD.5), then RD.6 and RD.7 for the generators. *)
  Record Respects : Prop := {
    gen_rd2 : forall A B (g : G P A B), RD2_at Rc (t_gen g : @hom cat A B);
    eqn_R : forall A B f g, E P A B f g -> @eqv cat _ _ (R A B f) (R A B g)
  }.
  Record Sound : Prop := {
    respects : Respects;
    gen_rd6 : forall A B (g : G P A B), RD6_at Rc (t_gen g : @hom cat A B);
    gen_rd7 : forall A B (g : G P A B), RD7_at Rc (t_gen g : @hom cat A B)
  }.

  Lemma raw : RawR Rc.
  Proof. split; intros; reflexivity. Qed.

  Section RD1to5.
  Context (H0 : Respects).

  (** 1. RD.2, by induction on the diagram. *)
  Theorem diagrams_rd2 A B (f : tm (G P) A B) : RD2_at Rc (f : @hom cat A B).
  Proof.
    induction f.
    - apply (gen_rd2 H0).
    - apply (rd2_id raw).
    - apply (rd2_comp raw); assumption.
    - apply (rd2_bang raw).
    - apply (rd2_pair raw); assumption.
    - apply (rd2_fst raw).
    - apply (rd2_snd raw).
    - apply (rd2_zero raw).
    - apply (rd2_plus raw); assumption.
  Qed.

  (** 2. R respects equality of diagrams, by induction on the equality. *)
  Theorem R_well_defined A B (f g : tm (G P) A B) :
    teq (E P) A B f g -> teq (E P) _ _ (R A B f) (R A B g).
  Proof.
    change (teq (E P) A B f g -> @eqv cat _ _ (Rc A B f) (Rc A B g)).
    intro e; induction e.
    - apply (eqn_R H0); assumption.
    - reflexivity.
    - symmetry; assumption.
    - etransitivity; eassumption.
    - apply (resp_comp raw A B C f f' g g'); assumption.
    - apply (resp_pair raw X A B f f' g g'); assumption.
    - apply (resp_plus raw A B f f' g g'); assumption.
    - apply (resp_id_l raw).
    - apply (resp_id_r raw).
    - apply (resp_assoc raw A B C D f g h).
    - apply (resp_bang raw), diagrams_rd2.
    - apply (resp_pair_fst raw X A B f g), diagrams_rd2.
    - apply (resp_pair_snd raw X A B f g), diagrams_rd2.
    - apply (resp_pair_eta raw X A B f), diagrams_rd2.
    - apply (resp_plus_comm raw).
    - apply (resp_plus_assoc raw).
    - apply (resp_plus_0_l raw).
    - apply (resp_left_plus raw A B C h f g), diagrams_rd2.
    - apply (resp_left_zero raw A B C h), diagrams_rd2.
    - apply (resp_plus_fst raw).
    - apply (resp_plus_snd raw).
    - apply (resp_zero_fst raw).
    - apply (resp_zero_snd raw).
  Qed.

  (** 3. RD.1 to RD.5. *)
  Theorem diagrams_rd15 : RD15 Rc.
  Proof. apply raw_rd15; [exact raw | exact diagrams_rd2 | exact R_well_defined]. Qed.

  End RD1to5.

  Context (H : Sound).
  Let RD := diagrams_rd15 (respects H).

  (** 4. RD.6 and RD.7, by induction on the diagram. *)
  Theorem diagrams_rd6 A B (f : tm (G P) A B) : RD6_at Rc (f : @hom cat A B).
  Proof.
    induction f.
    - apply (gen_rd6 H).
    - apply (rd6_id RD).
    - apply (rd6_comp RD); assumption.
    - apply (rd6_bang RD).
    - apply (rd6_pair RD); assumption.
    - apply (rd6_fst RD).
    - apply (rd6_snd RD).
    - apply (rd6_zero RD).
    - apply (rd6_plus RD); assumption.
  Qed.

  Theorem diagrams_rd7 A B (f : tm (G P) A B) : RD7_at Rc (f : @hom cat A B).
  Proof.
    induction f.
    - apply (gen_rd7 H).
    - apply (rd7_id RD).
    - apply (rd7_comp RD); assumption.
    - apply (@rd7_bang cat Rc A).
    - apply (rd7_pair RD); assumption.
    - apply (rd7_fst RD).
    - apply (rd7_snd RD).
    - apply (rd7_zero RD).
    - apply (rd7_plus RD); assumption.
  Qed.

  (** 5. The main theorems: RD.1 to RD.7 in their type-checked forms, and CD.1 to CD.7. *)
  Theorem diagrams_rdc : RDC Rc.
  Proof. apply rd67_rdc; [exact RD | exact diagrams_rd6 | exact diagrams_rd7]. Qed.

  Theorem diagrams_cdc : CDC (@D cat Rc).
  Proof. apply rdc_cdc, diagrams_rdc. Qed.
End Presented.
