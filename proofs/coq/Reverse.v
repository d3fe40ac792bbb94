(** Reverse derivatives in a cartesian left-additive category: the laws, and the induction steps.

    - [RawR]: an operator R obeying the clauses that define it on id, projections, !, pairing,
      composition, 0 and + (RD.1, RD.3, RD.4, RD.5) but NOT assumed to respect equality of maps.
      From these: RD.2 is inherited by every construction, and R respects every equation of a
      cartesian left-additive category between maps that satisfy RD.2.
    - [RD15], [RDC], [CDC]: RD.1 to RD.5, RD.1 to RD.7 and CD.1 to CD.7 in their type-checked
      forms; D is as in RD.D.  Forward.v has what follows from them.
    Scope: A' = A (changes are of the type of the values).
    Source: "Reverse derivative categories" (arXiv 1910.07065), Definitions 9, 13, Theorem 16. *)

Require Import ReverseDerivative.Category.

(** Laws on generalised elements.  Here <u, w> ;; R f is "R f at the point u on the change w". *)
Section Predicates.
  Context {C : CLAC} (R : forall A B : ob C, hom A B -> hom (A × B) A).
  Arguments R {A B} _.

  Definition RD2_at {A B} (f : hom A B) : Prop :=
    (forall X (u : hom X A) (v w : hom X B), ⟨u, v ⊕ w⟩ ;; R f == ⟨u, v⟩ ;; R f ⊕ ⟨u, w⟩ ;; R f)
    /\ (forall X (u : hom X A), ⟨u, O⟩ ;; R f == O).

  (** RD.D: D[f] = (iota0 × 1);R[R[f]];snd, with iota0 filling the cotangent with 0. *)
  Definition D {A B} (f : hom A B) : hom (A × A) B :=
    cross iota0 (id A) ;; R (R f) ;; snd.

  Definition RD6_at {A B} (f : hom A B) : Prop :=
    forall X (u : hom X A) (v w : hom X B), ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D (R f) == ⟨u, w⟩ ;; R f.

  Definition RD7_at {A B} (f : hom A B) : Prop :=
    forall X (u v w t : hom X A), ⟨⟨u, v⟩, ⟨w, t⟩⟩ ;; D (D f) == ⟨⟨u, w⟩, ⟨v, t⟩⟩ ;; D (D f).

  (** R on composites and so on, before R is known to respect equality. *)
  Record RawR : Prop := {
    raw_id : forall A, R (id A) == snd;
    raw_fst : forall A B, R (@fst C A B) == ⟨snd, O⟩;
    raw_snd : forall A B, R (@snd C A B) == ⟨O, snd⟩;
    raw_bang : forall A, R (bang A) == O;
    raw_zero : forall A B, R (@zero C A B) == O;
    raw_plus : forall A B (f g : hom A B), R (f ⊕ g) == R f ⊕ R g;
    raw_pair : forall X A B (f : hom X A) (g : hom X B),
      R ⟨f, g⟩ == ⟨fst, snd ;; fst⟩ ;; R f ⊕ ⟨fst, snd ;; snd⟩ ;; R g;
    raw_comp : forall X A B (f : hom X A) (g : hom A B),
      R (f ;; g) == ⟨fst, ⟨fst ;; f, snd⟩ ;; R g⟩ ;; R f
  }.
End Predicates.

(** ** R on elements, RD.2, and the equations of the category *)
Section Raw.
  Context {C : CLAC} {R : forall A B : ob C, hom A B -> hom (A × B) A}.
  Arguments R {A B} _.
  Context (H : RawR (@R)).
  Implicit Types A B X Y : ob C.

  (** Extensionality: a map out of A × B is known by its value on all pairs. *)
  Lemma elem_ext A B Z (f g : hom (A × B) Z) :
    (forall X (u : hom X A) (w : hom X B), ⟨u, w⟩ ;; f == ⟨u, w⟩ ;; g) -> f == g.
  Proof.
    intro e. rewrite <- (id_l _ _ _ f), <- (id_l _ _ _ g), <- pair_id. apply e.
  Qed.

  Lemma re_id X A (u w : hom X A) : ⟨u, w⟩ ;; R (id A) == w.
  Proof. rewrite (raw_id _ H). clac. reflexivity. Qed.
  Lemma re_fst X A B (u : hom X (A × B)) w : ⟨u, w⟩ ;; R fst == ⟨w, O⟩.
  Proof. rewrite (raw_fst _ H). clac. reflexivity. Qed.
  Lemma re_snd X A B (u : hom X (A × B)) w : ⟨u, w⟩ ;; R snd == ⟨O, w⟩.
  Proof. rewrite (raw_snd _ H). clac. reflexivity. Qed.
  Lemma re_bang X A (u : hom X A) w : ⟨u, w⟩ ;; R (bang A) == O.
  Proof. rewrite (raw_bang _ H). clac. reflexivity. Qed.
  Lemma re_zero X A B (u : hom X A) (w : hom X B) : ⟨u, w⟩ ;; R zero == O.
  Proof. rewrite (raw_zero _ H). clac. reflexivity. Qed.
  Lemma re_plus X A B (f g : hom A B) (u : hom X A) w :
    ⟨u, w⟩ ;; R (f ⊕ g) == ⟨u, w⟩ ;; R f ⊕ ⟨u, w⟩ ;; R g.
  Proof. rewrite (raw_plus _ H). clac. reflexivity. Qed.
  Lemma re_pair X A B Z (f : hom A B) (g : hom A Z) (u : hom X A) w :
    ⟨u, w⟩ ;; R ⟨f, g⟩ == ⟨u, w ;; fst⟩ ;; R f ⊕ ⟨u, w ;; snd⟩ ;; R g.
  Proof. rewrite (raw_pair _ H). clac. reflexivity. Qed.
  Lemma re_comp X A B Z (f : hom A B) (g : hom B Z) (u : hom X A) w :
    ⟨u, w⟩ ;; R (f ;; g) == ⟨u, ⟨u ;; f, w⟩ ;; R g⟩ ;; R f.
  Proof. rewrite (raw_comp _ H). clac. reflexivity. Qed.

  Local Hint Rewrite re_id re_fst re_snd re_bang re_zero re_plus re_pair re_comp : clac.

  (** RD.2 is inherited. *)
  Lemma rd2_id A : RD2_at (@R) (id A).
  Proof. split; intros; clac; reflexivity. Qed.
  Lemma rd2_fst A B : RD2_at (@R) (@fst C A B).
  Proof. split; intros; clac; reflexivity. Qed.
  Lemma rd2_snd A B : RD2_at (@R) (@snd C A B).
  Proof. split; intros; clac; reflexivity. Qed.
  Lemma rd2_bang A : RD2_at (@R) (bang A).
  Proof. split; intros; clac; reflexivity. Qed.
  Lemma rd2_zero A B : RD2_at (@R) (@zero C A B).
  Proof. split; intros; clac; reflexivity. Qed.
  Lemma rd2_plus A B (f g : hom A B) :
    RD2_at (@R) f -> RD2_at (@R) g -> RD2_at (@R) (f ⊕ g).
  Proof.
    intros [pf zf] [pg zg]; split; intros; clac.
    - rewrite pf, pg. apply plus_swap.
    - rewrite zf, zg. clac. reflexivity.
  Qed.
  Lemma rd2_pair X A B (f : hom X A) (g : hom X B) :
    RD2_at (@R) f -> RD2_at (@R) g -> RD2_at (@R) ⟨f, g⟩.
  Proof.
    intros [pf zf] [pg zg]; split; intros; clac.
    - rewrite pf, pg. apply plus_swap.
    - rewrite zf, zg. clac. reflexivity.
  Qed.
  Lemma rd2_comp X A B (f : hom X A) (g : hom A B) :
    RD2_at (@R) f -> RD2_at (@R) g -> RD2_at (@R) (f ;; g).
  Proof.
    intros [pf zf] [pg zg]; split; intros; clac.
    - rewrite pg, pf. reflexivity.
    - rewrite zg, zf. reflexivity.
  Qed.

  (** R respects the equations.  The congruence rules carry the hypothesis on the parts. *)
  Ltac both := intros; apply elem_ext; intros; clac.

  Lemma resp_comp A B Z (f f' : hom A B) (g g' : hom B Z) :
    f == f' -> R f == R f' -> R g == R g' -> R (f ;; g) == R (f' ;; g').
  Proof. intros e p q. both. rewrite p, q, e. reflexivity. Qed.
  Lemma resp_pair X A B (f f' : hom X A) (g g' : hom X B) :
    R f == R f' -> R g == R g' -> R ⟨f, g⟩ == R ⟨f', g'⟩.
  Proof. intros p q. both. rewrite p, q. reflexivity. Qed.
  Lemma resp_plus A B (f f' g g' : hom A B) :
    R f == R f' -> R g == R g' -> R (f ⊕ g) == R (f' ⊕ g').
  Proof. intros p q. both. rewrite p, q. reflexivity. Qed.

  Lemma resp_id_l A B (f : hom A B) : R (id A ;; f) == R f.
  Proof. both. reflexivity. Qed.
  Lemma resp_id_r A B (f : hom A B) : R (f ;; id B) == R f.
  Proof. both. reflexivity. Qed.
  Lemma resp_assoc X A B Z (f : hom X A) (g : hom A B) (h : hom B Z) :
    R (f ;; (g ;; h)) == R (f ;; g ;; h).
  Proof.
    apply elem_ext; intros.
    rewrite (re_comp _ _ _ _ f), (re_comp _ _ _ _ g), (re_comp _ _ _ _ (f ;; g)), (re_comp _ _ _ _ f).
    clac. reflexivity.
  Qed.
  (* maps into 1: the change is a map into 1 too, hence 0, and R kills it by RD.2 *)
  Lemma resp_bang A (f : hom A one) : RD2_at (@R) f -> R f == R (bang A).
  Proof. intros [_ z]. both. rewrite (to_one _ w O). apply z. Qed.
  Lemma resp_pair_fst X A B (f : hom X A) (g : hom X B) :
    RD2_at (@R) g -> R (⟨f, g⟩ ;; fst) == R f.
  Proof. intros [_ z]. both. rewrite z. clac. reflexivity. Qed.
  Lemma resp_pair_snd X A B (f : hom X A) (g : hom X B) :
    RD2_at (@R) f -> R (⟨f, g⟩ ;; snd) == R g.
  Proof. intros [_ z]. both. rewrite z. clac. reflexivity. Qed.
  (* eta: f is additive in the change, and w = <w1, 0> + <0, w2> *)
  Lemma resp_pair_eta X A B (f : hom X (A × B)) :
    RD2_at (@R) f -> R ⟨f ;; fst, f ;; snd⟩ == R f.
  Proof. intros [p _]. both. rewrite <- p. clac. rewrite pair_eta. reflexivity. Qed.

  Lemma resp_plus_comm A B (f g : hom A B) : R (f ⊕ g) == R (g ⊕ f).
  Proof. both. apply plus_comm. Qed.
  Lemma resp_plus_assoc A B (f g h : hom A B) : R (f ⊕ (g ⊕ h)) == R (f ⊕ g ⊕ h).
  Proof. both. apply plus_assoc. Qed.
  Lemma resp_plus_0_l A B (f : hom A B) : R (O ⊕ f) == R f.
  Proof.
    apply elem_ext; intros. rewrite re_plus, re_zero. clac. reflexivity.
  Qed.
  Lemma resp_left_plus X A B (h : hom X A) (f g : hom A B) :
    RD2_at (@R) h -> R (h ;; (f ⊕ g)) == R (h ;; f ⊕ h ;; g).
  Proof.
    intros [p _]. apply elem_ext; intros.
    rewrite re_comp, re_plus, re_plus, !re_comp. apply p.
  Qed.
  Lemma resp_left_zero X A B (h : hom X A) : RD2_at (@R) h -> R (h ;; @zero C A B) == R O.
  Proof.
    intros [_ z]. apply elem_ext; intros. rewrite re_comp, !re_zero. apply z.
  Qed.
  Lemma resp_plus_fst X A B (f g : hom X (A × B)) :
    R ((f ⊕ g) ;; fst) == R (f ;; fst ⊕ g ;; fst).
  Proof. apply elem_ext; intros. rewrite re_comp, !re_plus, !re_comp, !re_fst. reflexivity. Qed.
  Lemma resp_plus_snd X A B (f g : hom X (A × B)) :
    R ((f ⊕ g) ;; snd) == R (f ;; snd ⊕ g ;; snd).
  Proof. apply elem_ext; intros. rewrite re_comp, !re_plus, !re_comp, !re_snd. reflexivity. Qed.
  Lemma resp_zero_fst X A B : R (@zero C X (A × B) ;; fst) == R O.
  Proof. apply elem_ext; intros. rewrite re_comp, !re_zero. reflexivity. Qed.
  Lemma resp_zero_snd X A B : R (@zero C X (A × B) ;; snd) == R O.
  Proof. apply elem_ext; intros. rewrite re_comp, !re_zero. reflexivity. Qed.
End Raw.

(** ** The laws, as stated *)

(** RD.1 to RD.5 for an operator that respects equality. *)
Record RD15 {C : CLAC} (R : forall A B : ob C, hom A B -> hom (A × B) A) : Prop := {
  R_mor : forall A B (f g : hom A B), f == g -> R A B f == R A B g;
  rd1 : forall A B (f g : hom A B), R A B (f ⊕ g) == R A B f ⊕ R A B g;
  rd1_zero : forall A B, R A B O == O;
  rd2 : forall A B (f : hom A B) X (a : hom X A) (b c : hom X B),
    ⟨a, b ⊕ c⟩ ;; R A B f == ⟨a, b⟩ ;; R A B f ⊕ ⟨a, c⟩ ;; R A B f;
  rd2_zero_arg : forall A B (f : hom A B) X (a : hom X A), ⟨a, O⟩ ;; R A B f == O;
  rd3_id : forall A, R A A (id A) == snd;
  rd3_fst : forall A B, R (A × B) A fst == snd ;; iota0;
  rd3_snd : forall A B, R (A × B) B snd == snd ;; iota1;
  rd4 : forall A B Z (f : hom A B) (g : hom A Z), R A (B × Z) ⟨f, g⟩ ==
    cross (id A) fst ;; R A B f ⊕ cross (id A) snd ;; R A Z g;
  rd4_bang : forall A, R A one (bang A) == O;
  rd5 : forall A B Z (f : hom A B) (g : hom B Z), R A Z (f ;; g) ==
    ⟨fst, ⟨fst ;; f, snd⟩⟩ ;; cross (id A) (R B Z g) ;; R A B f
}.

(** RD.1 to RD.7: a reverse derivative. *)
Record RDC {C : CLAC} (R : forall A B : ob C, hom A B -> hom (A × B) A) : Prop := {
  rd15 : RD15 R;
  rd6 : forall A B (f : hom A B),
    ⟨cross (id A) fst, cross O snd⟩ ;; cross iota0 (id (A × B))
      ;; R _ _ (R _ _ (R _ _ f)) ;; snd
    == cross (id A) snd ;; R _ _ f;
  rd7 : forall A B (f : hom A B),
    cross iota0 (id _) ;; R _ _ (R _ _ (cross iota0 (id _) ;; R _ _ (R _ _ f) ;; snd)) ;; snd
    == ex ;; cross iota0 (id _)
         ;; R _ _ (R _ _ (cross iota0 (id _) ;; R _ _ (R _ _ f) ;; snd)) ;; snd
}.

(** CD.1 to CD.7: a forward derivative, i.e. a cartesian differential category. *)
Record CDC {C : CLAC} (D : forall A B : ob C, hom A B -> hom (A × A) B) : Prop := {
  D_mor : forall A B (f g : hom A B), f == g -> D A B f == D A B g;
  cd1 : forall A B (f g : hom A B), D A B (f ⊕ g) == D A B f ⊕ D A B g;
  cd1_zero : forall A B, D A B O == O;
  cd2 : forall A B (f : hom A B) X (a b c : hom X A),
    ⟨a, b ⊕ c⟩ ;; D A B f == ⟨a, b⟩ ;; D A B f ⊕ ⟨a, c⟩ ;; D A B f;
  cd2_zero_arg : forall A B (f : hom A B) X (a : hom X A), ⟨a, O⟩ ;; D A B f == O;
  cd3_id : forall A, D A A (id A) == snd;
  cd3_fst : forall A B, D (A × B) A fst == snd ;; fst;
  cd3_snd : forall A B, D (A × B) B snd == snd ;; snd;
  cd4 : forall A B Z (f : hom A B) (g : hom A Z), D A (B × Z) ⟨f, g⟩ == ⟨D A B f, D A Z g⟩;
  cd4_bang : forall A, D A one (bang A) == bang (A × A);
  cd5 : forall A B Z (f : hom A B) (g : hom B Z),
    D A Z (f ;; g) == ⟨fst ;; f, D A B f⟩ ;; D B Z g;
  cd6 : forall A B (f : hom A B) X (a b c : hom X A),
    ⟨⟨a, b⟩, ⟨O, c⟩⟩ ;; D _ _ (D A B f) == ⟨a, c⟩ ;; D A B f;
  cd7 : forall A B (f : hom A B) X (a b c d : hom X A),
    ⟨⟨a, b⟩, ⟨c, d⟩⟩ ;; D _ _ (D A B f) == ⟨⟨a, c⟩, ⟨b, d⟩⟩ ;; D _ _ (D A B f)
}.

(** The clauses that define R, with congruence and RD.2, are RD.1 to RD.5 (and conversely). *)
Lemma raw_rd15 {C : CLAC} (R : forall A B : ob C, hom A B -> hom (A × B) A) :
  RawR R -> (forall A B f, RD2_at R f (A:=A) (B:=B)) ->
  (forall A B (f g : hom A B), f == g -> R A B f == R A B g) -> RD15 R.
Proof.
  intros H L M. split.
  - exact M.
  - intros; apply (raw_plus _ H).
  - intros; apply (raw_zero _ H).
  - intros; apply L.
  - intros; apply L.
  - intros; apply (raw_id _ H).
  - intros; rewrite (raw_fst _ H); unfold iota0; clac; reflexivity.
  - intros; rewrite (raw_snd _ H); unfold iota1; clac; reflexivity.
  - intros; rewrite (raw_pair _ H); unfold cross; clac; reflexivity.
  - intros; apply (raw_bang _ H).
  - intros; rewrite (raw_comp _ H); unfold cross; clac; reflexivity.
Qed.

Lemma rd15_raw {C : CLAC} (R : forall A B : ob C, hom A B -> hom (A × B) A) :
  RD15 R -> RawR R.
Proof.
  intros H; split; intros.
  - apply (rd3_id _ H).
  - rewrite (rd3_fst _ H); unfold iota0; clac; reflexivity.
  - rewrite (rd3_snd _ H); unfold iota1; clac; reflexivity.
  - apply (rd4_bang _ H).
  - apply (rd1_zero _ H).
  - apply (rd1 _ H).
  - rewrite (rd4 _ H); unfold cross; clac; reflexivity.
  - rewrite (rd5 _ H); unfold cross; clac; reflexivity.
Qed.
