(** From RD.1 to RD.5 where changes differ from values: CD.1 to CD.5, and the induction steps of
    RD.6 and RD.7; from RD.1 to RD.7: CD.1 to CD.7 ([rdc_cdc]).

    Scope: the types of C.prime, D[f] : A × A' -> B' as in RD.D.
    Source: "Reverse derivative categories" (arXiv 1910.07065), Theorem 16, retyped. *)

Require Import ReverseDerivative.PrimeCategory ReverseDerivative.PrimeReverse.

Section Forward.
  Context {C : PCLAC} {R : RType C}.
  Arguments R {a a' b b'} _.
  Context (H : RD15 (@R)).
  Implicit Types a b c m x : ob C.
  Notation D := (D (@R)).

  #[local] Instance R_Proper a a' b b' : Proper (eqv ==> eqv) (@R a a' b b').
  Proof. intros f g; apply (R_mor _ H). Qed.
  #[local] Instance D_Proper a a' b b' : Proper (eqv ==> eqv) (@PrimeReverse.D C (@R) a a' b b').
  Proof. intros f g e; unfold PrimeReverse.D; rewrite e; reflexivity. Qed.

  Let raw := rd15_raw _ H.
  Let e_id := @re_id _ _ raw.      Let e_fst := @re_fst _ _ raw.    Let e_snd := @re_snd _ _ raw.
  Let e_bang := @re_bang _ _ raw.  Let e_zero := @re_zero _ _ raw.  Let e_plus := @re_plus _ _ raw.
  Let e_pair := @re_pair _ _ raw.  Let e_comp := @re_comp _ _ raw.
  Let e_add := rd2 _ H.            Let e_0 := rd2_zero_arg _ H.
  Hint Rewrite e_id e_fst e_snd e_bang e_zero e_plus e_pair e_comp e_0 : pclac.

  Lemma de {x x' a a' b b'} (f : hom a a' b b') (u : hom x x' a a') (v : hom x x' a' a') :
    ⟨u, v⟩ ;; D f == ⟨⟨u, O⟩, v⟩ ;; R (R f) ;; snd.
  Proof. unfold PrimeReverse.D, cross, iota0. clac. reflexivity. Qed.

  Section Elements.
    Context {x x' a a' b b' c c' : ob C} (u : hom x x' a a') (v w : hom x x' a' a').
    Lemma de_add (f : hom a a' b b') : ⟨u, v ⊕ w⟩ ;; D f == ⟨u, v⟩ ;; D f ⊕ ⟨u, w⟩ ;; D f.
    Proof. rewrite !de, e_add. clac. reflexivity. Qed.
    Lemma de_0 (f : hom a a' b b') : ⟨u, O⟩ ;; D f == O.
    Proof. rewrite de. clac. reflexivity. Qed.
    Lemma de_id : ⟨u, v⟩ ;; D id == v.
    Proof. rewrite de, (rd3_id _ H). clac. reflexivity. Qed.
    Lemma de_bang : ⟨u, v⟩ ;; D bang == O.
    Proof. apply to_one. Qed.
    Lemma de_zero : ⟨u, v⟩ ;; D (@zero C a a' b) == O.
    Proof. rewrite de, (rd1_zero _ H). clac. reflexivity. Qed.
    Lemma de_plus (f g : hom a a' b b) : ⟨u, v⟩ ;; D (f ⊕ g) == ⟨u, v⟩ ;; D f ⊕ ⟨u, v⟩ ;; D g.
    Proof. rewrite !de, (rd1 _ H). clac. reflexivity. Qed.
    Lemma de_pair (f : hom a a' b b') (g : hom a a' c c') :
      ⟨u, v⟩ ;; D ⟨f, g⟩ == ⟨⟨u, v⟩ ;; D f, ⟨u, v⟩ ;; D g⟩.
    Proof. rewrite de, (raw_pair _ raw). clac. rewrite !de. reflexivity. Qed.
    Lemma de_comp (f : hom a a' b b') (g : hom b b' c c') :
      ⟨u, v⟩ ;; D (f ;; g) == ⟨u ;; f, ⟨u, v⟩ ;; D f⟩ ;; D g.
    Proof. rewrite de, (raw_comp _ raw). clac. rewrite !de. reflexivity. Qed.
  End Elements.
  Lemma de_fst {x x' a a' b b'} (p : hom x x' (a × b) (a' × b')) v :
    ⟨p, v⟩ ;; D fst == v ;; fst.
  Proof. rewrite de, (raw_fst _ raw). clac. reflexivity. Qed.
  Lemma de_snd {x x' a a' b b'} (p : hom x x' (a × b) (a' × b')) v :
    ⟨p, v⟩ ;; D snd == v ;; snd.
  Proof. rewrite de, (raw_snd _ raw). clac. reflexivity. Qed.
  Hint Rewrite @de_id @de_fst @de_snd @de_bang @de_zero @de_plus @de_pair @de_comp @de_0 : pclac.

  Ltac both := apply elem_ext; intros; clac.
  Lemma D_id a a' : D (@id C a a') == snd.
  Proof. both; reflexivity. Qed.
  Lemma D_fst a a' b b' : D (@fst C a a' b b') == snd ;; fst.
  Proof. both; reflexivity. Qed.
  Lemma D_snd a a' b b' : D (@snd C a a' b b') == snd ;; snd.
  Proof. both; reflexivity. Qed.
  Lemma D_pair {x x' a a' b b'} (f : hom x x' a a') (g : hom x x' b b') :
    D ⟨f, g⟩ == ⟨D f, D g⟩.
  Proof. both; reflexivity. Qed.
  Lemma D_comp {x x' a a' b b'} (f : hom x x' a a') (g : hom a a' b b') :
    D (f ;; g) == ⟨fst ;; f, D f⟩ ;; D g.
  Proof. both; reflexivity. Qed.
  Lemma D_zero a a' m : D (@zero C a a' m) == O.
  Proof. both; reflexivity. Qed.
  Lemma D_plus {a a' m} (f g : hom a a' m m) : D (f ⊕ g) == D f ⊕ D g.
  Proof. both; reflexivity. Qed.

  (** RD.6 is inherited. *)
  Notation RD6_at := (RD6_at (@R)).
  Lemma rd6_id a a' : RD6_at (@id C a a').
  Proof. intros x x' u v w. rewrite (rd3_id _ H). clac. reflexivity. Qed.
  Lemma rd6_fst a a' b b' : RD6_at (@fst C a a' b b').
  Proof. intros x x' u v w. rewrite (raw_fst _ raw). clac. reflexivity. Qed.
  Lemma rd6_snd a a' b b' : RD6_at (@snd C a a' b b').
  Proof. intros x x' u v w. rewrite (raw_snd _ raw). clac. reflexivity. Qed.
  Lemma rd6_bang a a' : RD6_at (@bang C a a').
  Proof. intros x x' u v w. rewrite (rd4_bang _ H). clac. reflexivity. Qed.
  Lemma rd6_zero a a' m : RD6_at (@zero C a a' m).
  Proof. intros x x' u v w. rewrite (rd1_zero _ H). clac. reflexivity. Qed.
  Lemma rd6_plus {a a' m} (f g : hom a a' m m) : RD6_at f -> RD6_at g -> RD6_at (f ⊕ g).
  Proof. intros p q x x' u v w. rewrite (rd1 _ H). clac. rewrite p, q. reflexivity. Qed.
  Lemma rd6_pair {x x' a a' b b'} (f : hom x x' a a') (g : hom x x' b b') :
    RD6_at f -> RD6_at g -> RD6_at ⟨f, g⟩.
  Proof. intros p q y y' u v w. rewrite (raw_pair _ raw). clac. rewrite p, q. reflexivity. Qed.
  Lemma rd6_comp {x x' a a' b b'} (f : hom x x' a a') (g : hom a a' b b') :
    RD6_at f -> RD6_at g -> RD6_at (f ;; g).
  Proof. intros p q y y' u v w. rewrite (raw_comp _ raw). clac. rewrite q, p. reflexivity. Qed.

  (** RD.7 is inherited. *)
  Notation RD7_at := (RD7_at (@R)).
  Lemma rd7_id a a' : RD7_at (@id C a a').
  Proof. intros x x' u v w t. rewrite D_id. clac. reflexivity. Qed.
  Lemma rd7_fst a a' b b' : RD7_at (@fst C a a' b b').
  Proof. intros x x' u v w t. rewrite D_fst. clac. reflexivity. Qed.
  Lemma rd7_snd a a' b b' : RD7_at (@snd C a a' b b').
  Proof. intros x x' u v w t. rewrite D_snd. clac. reflexivity. Qed.
  Lemma rd7_bang a a' : RD7_at (@bang C a a').
  Proof. intros x x' u v w t. apply to_one. Qed.
  Lemma rd7_zero a a' m : RD7_at (@zero C a a' m).
  Proof. intros x x' u v w t. rewrite D_zero. clac. reflexivity. Qed.
  Lemma rd7_plus {a a' m} (f g : hom a a' m m) : RD7_at f -> RD7_at g -> RD7_at (f ⊕ g).
  Proof. intros p q x x' u v w t. rewrite D_plus. clac. rewrite p, q. reflexivity. Qed.
  Lemma rd7_pair {x x' a a' b b'} (f : hom x x' a a') (g : hom x x' b b') :
    RD7_at f -> RD7_at g -> RD7_at ⟨f, g⟩.
  Proof. intros p q y y' u v w t. rewrite D_pair. clac. rewrite p, q. reflexivity. Qed.
  Lemma rd7_comp {x x' a a' b b'} (f : hom x x' a a') (g : hom a a' b b') :
    RD7_at f -> RD7_at g -> RD7_at (f ;; g).
  Proof. intros p q y y' u v w t. rewrite D_comp. clac. rewrite q, p. reflexivity. Qed.

  Lemma rd67_rdc : (forall a a' b b' (f : hom a a' b b'), RD6_at f) ->
    (forall a a' b b' (f : hom a a' b b'), RD7_at f) -> RDC (@R).
  Proof.
    intros s6 s7; split.
    - exact H.
    - intros a a' b b' f.
      specialize (s6 a a' b b' f (a × (b' × b')) (a' × (b' × b')) fst (snd ;; fst) (snd ;; snd)).
      unfold PrimeReverse.D in s6. unfold cross in s6 |- *. clac. rewrite <- s6. clac. reflexivity.
    - intros a a' b b' f. fold (D f). fold (D (D f)).
      transitivity (ex ;; D (D f)); [| unfold PrimeReverse.D at 1; rewrite !assoc; reflexivity].
      apply elem_ext; intros x x' u w.
      rewrite <- (pair_eta _ _ _ _ _ _ _ u), <- (pair_eta _ _ _ _ _ _ _ w).
      rewrite s7. unfold ex. clac. reflexivity.
  Qed.
End Forward.

Section Theorem16.
  Context {C : PCLAC} {R : RType C}.
  Arguments R {a a' b b'} _.
  Context (H : RDC (@R)).
  Notation D := (D (@R)).

  Lemma rdc_rd6 {a a' b b'} (f : hom a a' b b') : RD6_at (@R) f.
  Proof.
    intros x x' u v w. pose proof (rd6 _ H _ _ _ _ f) as e.
    transitivity (⟨u, ⟨v, w⟩⟩ ;; (cross id snd ;; R f)).
    - rewrite <- e. unfold PrimeReverse.D, cross. clac. reflexivity.
    - unfold cross. clac. reflexivity.
  Qed.

  Lemma rdc_rd7 {a a' b b'} (f : hom a a' b b') : RD7_at (@R) f.
  Proof.
    intros x x' u v w t. pose proof (rd7 _ H _ _ _ _ f) as e.
    fold (D f) in e. fold (D (D f)) in e.
    assert (e' : D (D f) == ex ;; D (D f)).
    { rewrite e at 1. change (D (D f)) with (cross iota0 id ;; R (R (D f)) ;; snd).
      rewrite !assoc. reflexivity. }
    rewrite e' at 1. unfold ex. clac. reflexivity.
  Qed.

  Theorem rdc_cdc : CDC (@PrimeReverse.D C (@R)).
  Proof.
    pose proof (rd15 _ H) as H5. split.
    - intros a a' b b' f g e. unfold PrimeReverse.D.
      rewrite (R_mor _ H5 _ _ _ _ _ _ (R_mor _ H5 _ _ _ _ _ _ e)). reflexivity.
    - intros; apply (D_plus H5).
    - intros; apply (D_zero H5).
    - intros; apply (de_add H5).
    - intros; apply (de_0 H5).
    - intros; apply (D_id H5).
    - intros; apply (D_fst H5).
    - intros; apply (D_snd H5).
    - intros; apply (D_pair H5).
    - intros; apply to_one.
    - intros; apply (D_comp H5).
    - intros a a' b b' f x x' u v w. change (PrimeReverse.D (@R) f) with
        (cross iota0 id ;; R (R f) ;; snd) at 1.
      rewrite (de_comp H5), (de_snd H5), (de_comp H5).
      unfold cross, iota0. clac.
      rewrite (de_pair H5), !(de_comp H5), (de_pair H5), (de_fst H5), (de_snd H5), !(de_id H5),
        (de_zero H5). clac.
      rewrite rdc_rd6, de. reflexivity.
    - intros; apply rdc_rd7.
  Qed.
End Theorem16.
