(** Cartesian categories whose change objects are commutative monoids (C.prime).

    An object A comes with an object A' of changes, where A'' = A' and (A × B)' = A' × B'; only
    change objects carry a commutative monoid.  These equations between objects would need casts in
    every statement.  So an object is given by the PAIR of A and A', written as two indices: a map
    from A to B lives in [hom a a' b b'], the product is taken on both, and the change object of
    (a, a') is (a', a').  Both equations then hold by syntax, whatever a and a' are.
    Scope: a record [PCLAC] and the derived equations.  A category with A' computed from A is an
    instance, and A' = A is the case a' = a.
    Source: "Reverse derivative categories" (arXiv 1910.07065), Definition 1, with the additive
    structure on changes only, as lenses have it in "Categorical foundations of gradient-based
    learning" (arXiv 2103.01931), Definition 2.4. *)

From Coq Require Export Setoid Morphisms.

Record PCLAC := {
  ob : Type;
  one : ob;
  prod : ob -> ob -> ob;
  hom : ob -> ob -> ob -> ob -> Type;
  eqv : forall a a' b b', hom a a' b b' -> hom a a' b b' -> Prop;
  id : forall a a', hom a a' a a';
  comp : forall a a' b b' c c', hom a a' b b' -> hom b b' c c' -> hom a a' c c';
  bang : forall a a', hom a a' one one;
  pair : forall x x' a a' b b', hom x x' a a' -> hom x x' b b' ->
    hom x x' (prod a b) (prod a' b');
  fst : forall a a' b b', hom (prod a b) (prod a' b') a a';
  snd : forall a a' b b', hom (prod a b) (prod a' b') b b';
  (* sums of maps into a change object (m, m) *)
  zero : forall a a' m, hom a a' m m;
  plus : forall a a' m, hom a a' m m -> hom a a' m m -> hom a a' m m;

  eqv_equiv : forall a a' b b', Equivalence (eqv a a' b b');
  comp_mor : forall a a' b b' c c' f f' g g', eqv a a' b b' f f' -> eqv b b' c c' g g' ->
    eqv _ _ _ _ (comp _ _ _ _ _ _ f g) (comp _ _ _ _ _ _ f' g');
  pair_mor : forall x x' a a' b b' f f' g g', eqv x x' a a' f f' -> eqv x x' b b' g g' ->
    eqv _ _ _ _ (pair _ _ _ _ _ _ f g) (pair _ _ _ _ _ _ f' g');
  plus_mor : forall a a' m f f' g g', eqv a a' m m f f' -> eqv a a' m m g g' ->
    eqv _ _ _ _ (plus _ _ _ f g) (plus _ _ _ f' g');

  id_l : forall a a' b b' f, eqv a a' b b' (comp _ _ _ _ _ _ (id a a') f) f;
  id_r : forall a a' b b' f, eqv a a' b b' (comp _ _ _ _ _ _ f (id b b')) f;
  assoc : forall a a' b b' c c' d d' (f : hom a a' b b') (g : hom b b' c c') (h : hom c c' d d'),
    eqv _ _ _ _ (comp _ _ _ _ _ _ f (comp _ _ _ _ _ _ g h))
                 (comp _ _ _ _ _ _ (comp _ _ _ _ _ _ f g) h);
  bang_eta : forall a a' (f : hom a a' one one), eqv _ _ _ _ f (bang a a');
  pair_fst : forall x x' a a' b b' (f : hom x x' a a') (g : hom x x' b b'),
    eqv _ _ _ _ (comp _ _ _ _ _ _ (pair _ _ _ _ _ _ f g) (fst _ _ _ _)) f;
  pair_snd : forall x x' a a' b b' (f : hom x x' a a') (g : hom x x' b b'),
    eqv _ _ _ _ (comp _ _ _ _ _ _ (pair _ _ _ _ _ _ f g) (snd _ _ _ _)) g;
  pair_eta : forall x x' a a' b b' (f : hom x x' (prod a b) (prod a' b')), eqv _ _ _ _
    (pair _ _ _ _ _ _ (comp _ _ _ _ _ _ f (fst _ _ _ _)) (comp _ _ _ _ _ _ f (snd _ _ _ _))) f;

  plus_comm : forall a a' m f g, eqv a a' m m (plus _ _ _ f g) (plus _ _ _ g f);
  plus_assoc : forall a a' m f g h,
    eqv a a' m m (plus _ _ _ f (plus _ _ _ g h)) (plus _ _ _ (plus _ _ _ f g) h);
  plus_0_l : forall a a' m f, eqv a a' m m (plus _ _ _ (zero _ _ _) f) f;
  left_plus : forall a a' b b' m (h : hom a a' b b') (f g : hom b b' m m), eqv _ _ _ _
    (comp _ _ _ _ _ _ h (plus _ _ _ f g))
    (plus _ _ _ (comp _ _ _ _ _ _ h f) (comp _ _ _ _ _ _ h g));
  left_zero : forall a a' b b' m (h : hom a a' b b'), eqv _ _ _ _
    (comp _ _ _ _ _ _ h (zero b b' m)) (zero _ _ _);
  (* projections between change objects are additive *)
  plus_fst : forall x x' m n (f g : hom x x' (prod m n) (prod m n)), eqv _ _ _ _
    (comp _ _ _ _ _ _ (plus _ _ _ f g) (fst m m n n))
    (plus _ _ _ (comp _ _ _ _ _ _ f (fst m m n n)) (comp _ _ _ _ _ _ g (fst m m n n)));
  plus_snd : forall x x' m n (f g : hom x x' (prod m n) (prod m n)), eqv _ _ _ _
    (comp _ _ _ _ _ _ (plus _ _ _ f g) (snd m m n n))
    (plus _ _ _ (comp _ _ _ _ _ _ f (snd m m n n)) (comp _ _ _ _ _ _ g (snd m m n n)));
  zero_fst : forall x x' m n, eqv _ _ _ _
    (comp _ _ _ _ _ _ (zero x x' (prod m n)) (fst m m n n)) (zero _ _ _);
  zero_snd : forall x x' m n, eqv _ _ _ _
    (comp _ _ _ _ _ _ (zero x x' (prod m n)) (snd m m n n)) (zero _ _ _)
}.

Arguments one {_}.
Arguments prod {_} _ _.
Arguments hom {_} _ _ _ _.
Arguments eqv {_ _ _ _ _} _ _.
Arguments id {_ a a'}.
Arguments comp {_ _ _ _ _ _ _} _ _.
Arguments bang {_ _ _}.
Arguments pair {_ _ _ _ _ _ _} _ _.
Arguments fst {_ a a' b b'}.
Arguments snd {_ a a' b b'}.
Arguments zero {_ a a' m}.
Arguments plus {_ _ _ _} _ _.

Declare Scope pclac_scope.
Open Scope pclac_scope.
Notation "A × B" := (prod A B) (at level 40, left associativity) : pclac_scope.
Notation "f == g" := (eqv f g) (at level 70) : pclac_scope.
Notation "f ;; g" := (comp f g) (at level 45, left associativity) : pclac_scope.
Notation "⟨ f , g ⟩" := (pair f g) (at level 0, format "⟨ f ,  g ⟩") : pclac_scope.
Notation "f ⊕ g" := (plus f g) (at level 50, left associativity) : pclac_scope.
Notation "'O'" := zero : pclac_scope.

#[export] Instance eqv_Equivalence (C : PCLAC) a a' b b' : Equivalence (@eqv C a a' b b') :=
  eqv_equiv C a a' b b'.
#[export] Instance comp_Proper (C : PCLAC) a a' b b' c c' :
  Proper (eqv ==> eqv ==> eqv) (@comp C a a' b b' c c').
Proof. intros f f' p g g' q; apply comp_mor; assumption. Qed.
#[export] Instance pair_Proper (C : PCLAC) x x' a a' b b' :
  Proper (eqv ==> eqv ==> eqv) (@pair C x x' a a' b b').
Proof. intros f f' p g g' q; apply pair_mor; assumption. Qed.
#[export] Instance plus_Proper (C : PCLAC) a a' m :
  Proper (eqv ==> eqv ==> eqv) (@plus C a a' m).
Proof. intros f f' p g g' q; apply plus_mor; assumption. Qed.

Section Lemmas.
  Context {C : PCLAC}.
  Implicit Types a b c d m n x y : ob C.

  Lemma pair_ext x x' a a' b b' (f g : hom x x' (a × b) (a' × b')) :
    f ;; fst == g ;; fst -> f ;; snd == g ;; snd -> f == g.
  Proof. intros p q. rewrite <- (pair_eta _ _ _ _ _ _ _ f), p, q. apply pair_eta. Qed.

  Lemma comp_pair x x' y y' a a' b b' (h : hom x x' y y') (f : hom y y' a a')
    (g : hom y y' b b') : h ;; ⟨f, g⟩ == ⟨h ;; f, h ;; g⟩.
  Proof. apply pair_ext; rewrite <- assoc, ?pair_fst, ?pair_snd; reflexivity. Qed.

  Lemma pair_id a a' b b' : ⟨@fst C a a' b b', snd⟩ == id.
  Proof. apply pair_ext; rewrite ?pair_fst, ?pair_snd, id_l; reflexivity. Qed.

  Lemma to_one x x' (f g : hom x x' one one) : f == g.
  Proof. rewrite (bang_eta _ _ _ f), (bang_eta _ _ _ g); reflexivity. Qed.

  Lemma plus_0_r a a' m (f : hom a a' m m) : f ⊕ O == f.
  Proof. rewrite plus_comm; apply plus_0_l. Qed.

  Lemma pair_plus x x' m n (f h : hom x x' m m) (g k : hom x x' n n) :
    @plus C _ _ (m × n) ⟨f, g⟩ ⟨h, k⟩ == ⟨f ⊕ h, g ⊕ k⟩.
  Proof. apply pair_ext; rewrite ?plus_fst, ?plus_snd, ?pair_fst, ?pair_snd; reflexivity. Qed.

  Lemma pair_zero x x' m n : ⟨O, O⟩ == @zero C x x' (m × n).
  Proof. apply pair_ext; rewrite ?pair_fst, ?pair_snd, ?zero_fst, ?zero_snd; reflexivity. Qed.

  Lemma plus_swap a a' m (f g h k : hom a a' m m) : (f ⊕ g) ⊕ (h ⊕ k) == (f ⊕ h) ⊕ (g ⊕ k).
  Proof.
    rewrite <- (plus_assoc _ _ _ _ f g), (plus_assoc _ _ _ _ g h k), (plus_comm _ _ _ _ g h).
    rewrite <- (plus_assoc _ _ _ _ h g k), (plus_assoc _ _ _ _ f h). reflexivity.
  Qed.

  Definition cross {a a' b b' c c' d d'} (f : hom a a' b b') (g : hom c c' d d') :
    hom (a × c) (a' × c') (b × d) (b' × d') := ⟨fst ;; f, snd ;; g⟩.
  (* the inserted 0 needs a monoid: a change object (m, m) *)
  Definition iota0 {a a' m} : hom a a' (a × m) (a' × m) := ⟨id, O⟩.
  Definition iota1 {a a' m} : hom a a' (m × a) (m × a') := ⟨O, id⟩.
  Definition ex {a a' b b' c c' d d'} :
    hom ((a × b) × (c × d)) ((a' × b') × (c' × d')) ((a × c) × (b × d)) ((a' × c') × (b' × d')) :=
    ⟨⟨fst ;; fst, snd ;; fst⟩, ⟨fst ;; snd, snd ;; snd⟩⟩.
End Lemmas.

Create HintDb pclac.
#[export] Hint Rewrite @assoc @id_l @id_r @pair_fst @pair_snd @comp_pair @left_plus @left_zero
  @plus_fst @plus_snd @zero_fst @zero_snd @plus_0_l @plus_0_r @pair_plus @pair_zero : pclac.

Ltac clac := repeat progress (rewrite_strat (topdown (hints pclac))).
