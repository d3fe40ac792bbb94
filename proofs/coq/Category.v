(** Cartesian left-additive categories with hom-setoids (CLAC.left, CLAC.proj).

    Scope: a record [CLAC] and the derived equations used everywhere else.  Equality of maps is
    an equivalence relation, not Coq's equality, so that diagrams modulo equations are an instance
    without quotients and without axioms.  Products are binary with a terminal object; the
    uniqueness of pairings is the eta law.
    Source: Blute, Cockett, Seely, "Cartesian differential categories" (2009); Cockett et al.,
    "Reverse derivative categories" (arXiv 1910.07065), Definition 1. *)

From Coq Require Export Setoid Morphisms.

Record CLAC := {
  ob : Type;
  one : ob;
  prod : ob -> ob -> ob;
  hom : ob -> ob -> Type;
  eqv : forall A B, hom A B -> hom A B -> Prop;
  id : forall A, hom A A;
  comp : forall A B C, hom A B -> hom B C -> hom A C;
  bang : forall A, hom A one;
  pair : forall X A B, hom X A -> hom X B -> hom X (prod A B);
  fst : forall A B, hom (prod A B) A;
  snd : forall A B, hom (prod A B) B;
  zero : forall A B, hom A B;
  plus : forall A B, hom A B -> hom A B -> hom A B;

  eqv_equiv : forall A B, Equivalence (eqv A B);
  comp_mor : forall A B C f f' g g', eqv A B f f' -> eqv B C g g' ->
    eqv A C (comp A B C f g) (comp A B C f' g');
  pair_mor : forall X A B f f' g g', eqv X A f f' -> eqv X B g g' ->
    eqv X (prod A B) (pair X A B f g) (pair X A B f' g');
  plus_mor : forall A B f f' g g', eqv A B f f' -> eqv A B g g' ->
    eqv A B (plus A B f g) (plus A B f' g');

  (* a category *)
  id_l : forall A B f, eqv A B (comp A A B (id A) f) f;
  id_r : forall A B f, eqv A B (comp A B B f (id B)) f;
  assoc : forall A B C D f g h,
    eqv A D (comp A B D f (comp B C D g h)) (comp A C D (comp A B C f g) h);
  (* with finite products *)
  bang_eta : forall A (f : hom A one), eqv A one f (bang A);
  pair_fst : forall X A B f g,
    eqv X A (comp X (prod A B) A (pair X A B f g) (fst A B)) f;
  pair_snd : forall X A B f g,
    eqv X B (comp X (prod A B) B (pair X A B f g) (snd A B)) g;
  pair_eta : forall X A B (f : hom X (prod A B)),
    eqv X (prod A B) (pair X A B (comp _ _ _ f (fst A B)) (comp _ _ _ f (snd A B))) f;
  (* each hom-set a commutative monoid *)
  plus_comm : forall A B f g, eqv A B (plus A B f g) (plus A B g f);
  plus_assoc : forall A B f g h,
    eqv A B (plus A B f (plus A B g h)) (plus A B (plus A B f g) h);
  plus_0_l : forall A B f, eqv A B (plus A B (zero A B) f) f;
  (* CLAC.left: composing on the left preserves it *)
  left_plus : forall A B C (h : hom A B) f g,
    eqv A C (comp A B C h (plus B C f g)) (plus A C (comp A B C h f) (comp A B C h g));
  left_zero : forall A B C (h : hom A B), eqv A C (comp A B C h (zero B C)) (zero A C);
  (* CLAC.proj: projections are additive *)
  plus_fst : forall X A B (f g : hom X (prod A B)), eqv X A
    (comp _ _ _ (plus _ _ f g) (fst A B))
    (plus _ _ (comp _ _ _ f (fst A B)) (comp _ _ _ g (fst A B)));
  plus_snd : forall X A B (f g : hom X (prod A B)), eqv X B
    (comp _ _ _ (plus _ _ f g) (snd A B))
    (plus _ _ (comp _ _ _ f (snd A B)) (comp _ _ _ g (snd A B)));
  zero_fst : forall X A B, eqv X A (comp _ _ _ (zero X (prod A B)) (fst A B)) (zero X A);
  zero_snd : forall X A B, eqv X B (comp _ _ _ (zero X (prod A B)) (snd A B)) (zero X B)
}.

Arguments one {_}.
Arguments prod {_} _ _.
Arguments hom {_} _ _.
Arguments eqv {_ A B} _ _.
Arguments id {_} A.
Arguments comp {_ A B C} _ _.
Arguments bang {_} A.
Arguments pair {_ X A B} _ _.
Arguments fst {_ A B}.
Arguments snd {_ A B}.
Arguments zero {_ A B}.
Arguments plus {_ A B} _ _.

Declare Scope clac_scope.
Open Scope clac_scope.
Notation "A × B" := (prod A B) (at level 40, left associativity) : clac_scope.
Notation "f == g" := (eqv f g) (at level 70) : clac_scope.
Notation "f ;; g" := (comp f g) (at level 45, left associativity) : clac_scope.
Notation "⟨ f , g ⟩" := (pair f g) (at level 0, format "⟨ f ,  g ⟩") : clac_scope.
Notation "f ⊕ g" := (plus f g) (at level 50, left associativity) : clac_scope.
Notation "'O'" := zero : clac_scope.

#[export] Instance eqv_Equivalence (C : CLAC) (A B : ob C) : Equivalence (@eqv C A B) :=
  eqv_equiv C A B.
#[export] Instance comp_Proper (C : CLAC) (X A B : ob C) :
  Proper (eqv ==> eqv ==> eqv) (@comp C X A B).
Proof. intros f f' p g g' q; apply comp_mor; assumption. Qed.
#[export] Instance pair_Proper (C : CLAC) (X A B : ob C) :
  Proper (eqv ==> eqv ==> eqv) (@pair C X A B).
Proof. intros f f' p g g' q; apply pair_mor; assumption. Qed.
#[export] Instance plus_Proper (C : CLAC) (A B : ob C) :
  Proper (eqv ==> eqv ==> eqv) (@plus C A B).
Proof. intros f f' p g g' q; apply plus_mor; assumption. Qed.

Section Lemmas.
  Context {C : CLAC}.
  Implicit Types A B X Y : ob C.

  (** Pairings are determined by their two components; the derived product equations follow. *)
  Lemma pair_ext X A B (f g : hom X (A × B)) :
    f ;; fst == g ;; fst -> f ;; snd == g ;; snd -> f == g.
  Proof.
    intros p q. rewrite <- (pair_eta _ _ _ _ f), <- (pair_eta _ _ _ _ g), p, q. reflexivity.
  Qed.

  Lemma comp_pair X Y A B (h : hom X Y) (f : hom Y A) (g : hom Y B) :
    h ;; ⟨f, g⟩ == ⟨h ;; f, h ;; g⟩.
  Proof.
    apply pair_ext; rewrite <- assoc, ?pair_fst, ?pair_snd; reflexivity.
  Qed.

  Lemma pair_id A B : ⟨@fst C A B, snd⟩ == id (A × B).
  Proof. apply pair_ext; rewrite ?pair_fst, ?pair_snd, id_l; reflexivity. Qed.

  Lemma at_elem X A B (u : hom X A) (f g : hom A B) : f == g -> u ;; f == u ;; g.
  Proof. intro e; rewrite e; reflexivity. Qed.

  Lemma to_one X (f g : hom X one) : f == g.
  Proof. rewrite (bang_eta _ _ f), (bang_eta _ _ g); reflexivity. Qed.

  Lemma plus_0_r A B (f : hom A B) : f ⊕ O == f.
  Proof. rewrite plus_comm; apply plus_0_l. Qed.

  Lemma pair_plus X A B (f h : hom X A) (g k : hom X B) :
    ⟨f, g⟩ ⊕ ⟨h, k⟩ == ⟨f ⊕ h, g ⊕ k⟩.
  Proof.
    apply pair_ext; rewrite ?plus_fst, ?plus_snd, ?pair_fst, ?pair_snd; reflexivity.
  Qed.

  Lemma pair_zero X A B : ⟨O, O⟩ == @zero C X (A × B).
  Proof.
    apply pair_ext; rewrite ?pair_fst, ?pair_snd, ?zero_fst, ?zero_snd; reflexivity.
  Qed.

  Lemma plus_swap A B (f g h k : hom A B) : (f ⊕ g) ⊕ (h ⊕ k) == (f ⊕ h) ⊕ (g ⊕ k).
  Proof.
    rewrite <- (plus_assoc _ _ _ f g), (plus_assoc _ _ _ g h k), (plus_comm _ _ _ g h).
    rewrite <- (plus_assoc _ _ _ h g k), (plus_assoc _ _ _ f h). reflexivity.
  Qed.

  (** f × g, the two injections, and the middle exchange (C.prod). *)
  Definition cross {A A' B B'} (f : hom A A') (g : hom B B') : hom (A × B) (A' × B') :=
    ⟨fst ;; f, snd ;; g⟩.
  Definition iota0 {A B} : hom A (A × B) := ⟨id A, O⟩.
  Definition iota1 {A B} : hom B (A × B) := ⟨O, id B⟩.
  Definition swap {A B} : hom (A × B) (B × A) := ⟨snd, fst⟩.
  Definition copy {A} : hom A (A × A) := ⟨id A, id A⟩.
  Definition ex {A B X Y} : hom ((A × B) × (X × Y)) ((A × X) × (B × Y)) :=
    ⟨⟨fst ;; fst, snd ;; fst⟩, ⟨fst ;; snd, snd ;; snd⟩⟩.
End Lemmas.

#[export] Instance cross_Proper (C : CLAC) (A A' B B' : ob C) :
  Proper (eqv ==> eqv ==> eqv) (@cross C A A' B B').
Proof. intros f f' p g g' q; unfold cross; rewrite p, q; reflexivity. Qed.

(** Normal form: composition bracketed to the left, pairings and sums pushed outwards.  Every
    rule then applies to an adjacent pair of factors, so one version of each is enough. *)
Create HintDb clac.
#[export] Hint Rewrite @assoc @id_l @id_r @pair_fst @pair_snd @comp_pair @left_plus @left_zero
  @plus_fst @plus_snd @zero_fst @zero_snd @plus_0_l @plus_0_r @pair_plus @pair_zero : clac.

Ltac clac := repeat progress (rewrite_strat (topdown (hints clac))).
