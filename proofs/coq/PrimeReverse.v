(** Reverse derivatives where changes differ from values (C.prime): laws and induction steps.

    R[f] : A × B' -> A' for f : A -> B.  The order is that of Reverse.v: from the clauses that
    define R ([RawR]), RD.2 is inherited by every construction and R respects every equation
    between maps satisfying RD.2; then RD.1 to RD.5 ([RD15]) give CD.1 to CD.5, and RD.6 and RD.7
    are inherited.  D[f] : A × A' -> B' is as in RD.D.
    Scope: RD.1, RD.6 and RD.7 with the types of C.prime; sums exist only into change objects.
    Source: "Reverse derivative categories" (arXiv 1910.07065), Definition 13, Theorem 16, retyped. *)

Require Import ReverseDerivative.PrimeCategory.

Definition RType (C : PCLAC) : Type :=
  forall a a' b b' : ob C, hom a a' b b' -> hom (a × b') (a' × b') a' a'.

Section Predicates.
  Context {C : PCLAC} (R : RType C).
  Arguments R {a a' b b'} _.
  Implicit Types a b c m x : ob C.

  Definition RD2_at {a a' b b'} (f : hom a a' b b') : Prop :=
    (forall x x' (u : hom x x' a a') (v w : hom x x' b' b'),
       ⟨u, v ⊕ w⟩ ;; R f == ⟨u, v⟩ ;; R f ⊕ ⟨u, w⟩ ;; R f)
    /\ (forall x x' (u : hom x x' a a'), ⟨u, O⟩ ;; R f == O).

  Definition D {a a' b b'} (f : hom a a' b b') : hom (a × a') (a' × a') b' b' :=
    cross iota0 id ;; R (R f) ;; snd.

  Definition RD6_at {a a' b b'} (f : hom a a' b b') : Prop :=
    forall x x' (u : hom x x' a a') (v w : hom x x' b' b'),
      ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D (R f) == ⟨u, w⟩ ;; R f.

  Definition RD7_at {a a' b b'} (f : hom a a' b b') : Prop :=
    forall x x' (u : hom x x' a a') (v w t : hom x x' a' a'),
      ⟨⟨u, v⟩, ⟨w, t⟩⟩ ;; D (D f) == ⟨⟨u, w⟩, ⟨v, t⟩⟩ ;; D (D f).

  Record RawR : Prop := {
    raw_id : forall a a', R (@id C a a') == snd;
    raw_fst : forall a a' b b', R (@fst C a a' b b') == ⟨snd, O⟩;
    raw_snd : forall a a' b b', R (@snd C a a' b b') == ⟨O, snd⟩;
    raw_bang : forall a a', R (@bang C a a') == O;
    raw_zero : forall a a' m, R (@zero C a a' m) == O;
    raw_plus : forall a a' m (f g : hom a a' m m), R (f ⊕ g) == R f ⊕ R g;
    raw_pair : forall x x' a a' b b' (f : hom x x' a a') (g : hom x x' b b'),
      R ⟨f, g⟩ == ⟨fst, snd ;; fst⟩ ;; R f ⊕ ⟨fst, snd ;; snd⟩ ;; R g;
    raw_comp : forall x x' a a' b b' (f : hom x x' a a') (g : hom a a' b b'),
      R (f ;; g) == ⟨fst, ⟨fst ;; f, snd⟩ ;; R g⟩ ;; R f
  }.

  (** The laws as stated, RD.1 to RD.5 and then RD.1 to RD.7. *)
  Record RD15 : Prop := {
    R_mor : forall a a' b b' (f g : hom a a' b b'), f == g -> R f == R g;
    rd1 : forall a a' m (f g : hom a a' m m), R (f ⊕ g) == R f ⊕ R g;
    rd1_zero : forall a a' m, R (@zero C a a' m) == O;
    rd2 : forall a a' b b' (f : hom a a' b b') x x' (u : hom x x' a a') (v w : hom x x' b' b'),
      ⟨u, v ⊕ w⟩ ;; R f == ⟨u, v⟩ ;; R f ⊕ ⟨u, w⟩ ;; R f;
    rd2_zero_arg : forall a a' b b' (f : hom a a' b b') x x' (u : hom x x' a a'),
      ⟨u, O⟩ ;; R f == O;
    rd3_id : forall a a', R (@id C a a') == snd;
    rd3_fst : forall a a' b b', R (@fst C a a' b b') == snd ;; iota0;
    rd3_snd : forall a a' b b', R (@snd C a a' b b') == snd ;; iota1;
    rd4 : forall x x' a a' b b' (f : hom x x' a a') (g : hom x x' b b'),
      R ⟨f, g⟩ == cross id fst ;; R f ⊕ cross id snd ;; R g;
    rd4_bang : forall a a', R (@bang C a a') == O;
    rd5 : forall x x' a a' b b' (f : hom x x' a a') (g : hom a a' b b'),
      R (f ;; g) == ⟨fst, ⟨fst ;; f, snd⟩⟩ ;; cross id (R g) ;; R f
  }.
  Record RDC : Prop := {
    rd15 : RD15;
    rd6 : forall a a' b b' (f : hom a a' b b'),
      ⟨cross id fst, cross O snd⟩ ;; cross iota0 id ;; R (R (R f)) ;; snd
      == cross (@id C a a') snd ;; R f;
    rd7 : forall a a' b b' (f : hom a a' b b'),
      cross iota0 id ;; R (R (cross iota0 id ;; R (R f) ;; snd)) ;; snd
      == ex ;; cross iota0 id ;; R (R (cross iota0 id ;; R (R f) ;; snd)) ;; snd
  }.
End Predicates.

(** CD.1 to CD.7. *)
Record CDC {C : PCLAC}
  (D : forall a a' b b' : ob C, hom a a' b b' -> hom (a × a') (a' × a') b' b') : Prop := {
  D_mor : forall a a' b b' (f g : hom a a' b b'), f == g -> D _ _ _ _ f == D _ _ _ _ g;
  cd1 : forall a a' m (f g : hom a a' m m), D _ _ _ _ (f ⊕ g) == D _ _ _ _ f ⊕ D _ _ _ _ g;
  cd1_zero : forall a a' m, D _ _ _ _ (@zero C a a' m) == O;
  cd2 : forall a a' b b' (f : hom a a' b b') x x' (u : hom x x' a a') v w,
    ⟨u, v ⊕ w⟩ ;; D _ _ _ _ f == ⟨u, v⟩ ;; D _ _ _ _ f ⊕ ⟨u, w⟩ ;; D _ _ _ _ f;
  cd2_zero_arg : forall a a' b b' (f : hom a a' b b') x x' (u : hom x x' a a'),
    ⟨u, O⟩ ;; D _ _ _ _ f == O;
  cd3_id : forall a a', D _ _ _ _ (@id C a a') == snd;
  cd3_fst : forall a a' b b', D _ _ _ _ (@fst C a a' b b') == snd ;; fst;
  cd3_snd : forall a a' b b', D _ _ _ _ (@snd C a a' b b') == snd ;; snd;
  cd4 : forall x x' a a' b b' (f : hom x x' a a') (g : hom x x' b b'),
    D _ _ _ _ ⟨f, g⟩ == ⟨D _ _ _ _ f, D _ _ _ _ g⟩;
  cd4_bang : forall a a', D _ _ _ _ (@bang C a a') == bang;
  cd5 : forall x x' a a' b b' (f : hom x x' a a') (g : hom a a' b b'),
    D _ _ _ _ (f ;; g) == ⟨fst ;; f, D _ _ _ _ f⟩ ;; D _ _ _ _ g;
  cd6 : forall a a' b b' (f : hom a a' b b') x x' (u : hom x x' a a') v w,
    ⟨⟨u, v⟩, ⟨O, w⟩⟩ ;; D _ _ _ _ (D _ _ _ _ f) == ⟨u, w⟩ ;; D _ _ _ _ f;
  cd7 : forall a a' b b' (f : hom a a' b b') x x' (u : hom x x' a a') v w t,
    ⟨⟨u, v⟩, ⟨w, t⟩⟩ ;; D _ _ _ _ (D _ _ _ _ f) == ⟨⟨u, w⟩, ⟨v, t⟩⟩ ;; D _ _ _ _ (D _ _ _ _ f)
}.

(** ** R on elements, RD.2, and the equations of the category *)
Section Raw.
  Context {C : PCLAC} {R : RType C}.
  Arguments R {a a' b b'} _.
  Context (H : RawR (@R)).
  Implicit Types a b c m x : ob C.

  Lemma elem_ext {a a' b b' c c'} (f g : hom (a × b) (a' × b') c c') :
    (forall x x' (u : hom x x' a a') (w : hom x x' b b'), ⟨u, w⟩ ;; f == ⟨u, w⟩ ;; g) -> f == g.
  Proof.
    intro e. rewrite <- (id_l _ _ _ _ _ f), <- (id_l _ _ _ _ _ g), <- pair_id. apply e.
  Qed.

  Section Elements.
    Context {x x' a a' b b' c c' : ob C} (u : hom x x' a a').
    Lemma re_id w : ⟨u, w⟩ ;; R id == w.
    Proof. rewrite (raw_id _ H). clac. reflexivity. Qed.
    Lemma re_fst (p : hom x x' (a × b) (a' × b')) w : ⟨p, w⟩ ;; R fst == ⟨w, O⟩.
    Proof. rewrite (raw_fst _ H). clac. reflexivity. Qed.
    Lemma re_snd (p : hom x x' (a × b) (a' × b')) w : ⟨p, w⟩ ;; R snd == ⟨O, w⟩.
    Proof. rewrite (raw_snd _ H). clac. reflexivity. Qed.
    Lemma re_bang w : ⟨u, w⟩ ;; R bang == O.
    Proof. rewrite (raw_bang _ H). clac. reflexivity. Qed.
    Lemma re_zero (w : hom x x' b b) : ⟨u, w⟩ ;; R O == O.
    Proof. rewrite (raw_zero _ H). clac. reflexivity. Qed.
    Lemma re_plus (f g : hom a a' b b) w : ⟨u, w⟩ ;; R (f ⊕ g) == ⟨u, w⟩ ;; R f ⊕ ⟨u, w⟩ ;; R g.
    Proof. rewrite (raw_plus _ H). clac. reflexivity. Qed.
    Lemma re_pair (f : hom a a' b b') (g : hom a a' c c') w :
      ⟨u, w⟩ ;; R ⟨f, g⟩ == ⟨u, w ;; fst⟩ ;; R f ⊕ ⟨u, w ;; snd⟩ ;; R g.
    Proof. rewrite (raw_pair _ H). clac. reflexivity. Qed.
    Lemma re_comp (f : hom a a' b b') (g : hom b b' c c') w :
      ⟨u, w⟩ ;; R (f ;; g) == ⟨u, ⟨u ;; f, w⟩ ;; R g⟩ ;; R f.
    Proof. rewrite (raw_comp _ H). clac. reflexivity. Qed.
  End Elements.
  Ltac re := repeat
    (rewrite ?re_comp, ?re_pair, ?re_plus, ?re_fst, ?re_snd, ?re_zero, ?re_id, ?re_bang).

  Lemma rd2_id a a' : RD2_at (@R) (@id C a a').
  Proof. split; intros; re; reflexivity. Qed.
  Lemma rd2_fst a a' b b' : RD2_at (@R) (@fst C a a' b b').
  Proof. split; intros; re; clac; reflexivity. Qed.
  Lemma rd2_snd a a' b b' : RD2_at (@R) (@snd C a a' b b').
  Proof. split; intros; re; clac; reflexivity. Qed.
  Lemma rd2_bang a a' : RD2_at (@R) (@bang C a a').
  Proof. split; intros; re; clac; reflexivity. Qed.
  Lemma rd2_zero a a' m : RD2_at (@R) (@zero C a a' m).
  Proof. split; intros; re; clac; reflexivity. Qed.
  Lemma rd2_plus {a a' m} (f g : hom a a' m m) :
    RD2_at (@R) f -> RD2_at (@R) g -> RD2_at (@R) (f ⊕ g).
  Proof.
    intros [pf zf] [pg zg]; split; intros; re.
    - rewrite pf, pg. apply plus_swap.
    - rewrite zf, zg. clac. reflexivity.
  Qed.
  Lemma rd2_pair {x x' a a' b b'} (f : hom x x' a a') (g : hom x x' b b') :
    RD2_at (@R) f -> RD2_at (@R) g -> RD2_at (@R) ⟨f, g⟩.
  Proof.
    intros [pf zf] [pg zg]; split; intros; re; clac.
    - rewrite pf, pg. apply plus_swap.
    - rewrite zf, zg. clac. reflexivity.
  Qed.
  Lemma rd2_comp {x x' a a' b b'} (f : hom x x' a a') (g : hom a a' b b') :
    RD2_at (@R) f -> RD2_at (@R) g -> RD2_at (@R) (f ;; g).
  Proof.
    intros [pf zf] [pg zg]; split; intros; re.
    - rewrite pg, pf. reflexivity.
    - rewrite zg, zf. reflexivity.
  Qed.

  Ltac both := intros; apply elem_ext; intros; re.
  Lemma resp_comp {a a' b b' c c'} (f f' : hom a a' b b') (g g' : hom b b' c c') :
    f == f' -> R f == R f' -> R g == R g' -> R (f ;; g) == R (f' ;; g').
  Proof. intros e p q. both. rewrite p, q, e. reflexivity. Qed.
  Lemma resp_pair {x x' a a' b b'} (f f' : hom x x' a a') (g g' : hom x x' b b') :
    R f == R f' -> R g == R g' -> R ⟨f, g⟩ == R ⟨f', g'⟩.
  Proof. intros p q. both. rewrite p, q. reflexivity. Qed.
  Lemma resp_plus {a a' m} (f f' g g' : hom a a' m m) :
    R f == R f' -> R g == R g' -> R (f ⊕ g) == R (f' ⊕ g').
  Proof. intros p q. both. rewrite p, q. reflexivity. Qed.
  Lemma resp_id_l {a a' b b'} (f : hom a a' b b') : R (id ;; f) == R f.
  Proof. both. clac. reflexivity. Qed.
  Lemma resp_id_r {a a' b b'} (f : hom a a' b b') : R (f ;; id) == R f.
  Proof. both. reflexivity. Qed.
  Lemma resp_assoc {a a' b b' c c' d d'} (f : hom a a' b b') (g : hom b b' c c')
    (h : hom c c' d d') : R (f ;; (g ;; h)) == R (f ;; g ;; h).
  Proof. both. rewrite <- assoc. reflexivity. Qed.
  Lemma resp_bang {a a'} (f : hom a a' one one) : RD2_at (@R) f -> R f == R bang.
  Proof. intros [_ z]. both. rewrite (to_one _ _ w O). apply z. Qed.
  Lemma resp_pair_fst {x x' a a' b b'} (f : hom x x' a a') (g : hom x x' b b') :
    RD2_at (@R) g -> R (⟨f, g⟩ ;; fst) == R f.
  Proof. intros [_ z]. both. clac. rewrite z. clac. reflexivity. Qed.
  Lemma resp_pair_snd {x x' a a' b b'} (f : hom x x' a a') (g : hom x x' b b') :
    RD2_at (@R) f -> R (⟨f, g⟩ ;; snd) == R g.
  Proof. intros [_ z]. both. clac. rewrite z. clac. reflexivity. Qed.
  Lemma resp_pair_eta {x x' a a' b b'} (f : hom x x' (a × b) (a' × b')) :
    RD2_at (@R) f -> R ⟨f ;; fst, f ;; snd⟩ == R f.
  Proof. intros [p _]. both. rewrite <- p. clac. rewrite pair_eta. reflexivity. Qed.
  Lemma resp_plus_comm {a a' m} (f g : hom a a' m m) : R (f ⊕ g) == R (g ⊕ f).
  Proof. both. apply plus_comm. Qed.
  Lemma resp_plus_assoc {a a' m} (f g h : hom a a' m m) : R (f ⊕ (g ⊕ h)) == R (f ⊕ g ⊕ h).
  Proof. both. apply plus_assoc. Qed.
  Lemma resp_plus_0_l {a a' m} (f : hom a a' m m) : R (O ⊕ f) == R f.
  Proof. both. clac. reflexivity. Qed.
  Lemma resp_left_plus {a a' b b' m} (h : hom a a' b b') (f g : hom b b' m m) :
    RD2_at (@R) h -> R (h ;; (f ⊕ g)) == R (h ;; f ⊕ h ;; g).
  Proof. intros [p _]. both. apply p. Qed.
  Lemma resp_left_zero {a a' b b'} m (h : hom a a' b b') :
    RD2_at (@R) h -> R (h ;; @zero C b b' m) == R O.
  Proof. intros [_ z]. both. apply z. Qed.
  Lemma resp_plus_fst {x x' m n} (f g : hom x x' (m × n) (m × n)) :
    R (@plus C _ _ (m × n) f g ;; fst) == R (f ;; fst ⊕ g ;; fst).
  Proof. both. reflexivity. Qed.
  Lemma resp_plus_snd {x x' m n} (f g : hom x x' (m × n) (m × n)) :
    R (@plus C _ _ (m × n) f g ;; snd) == R (f ;; snd ⊕ g ;; snd).
  Proof. both. reflexivity. Qed.
  Lemma resp_zero_fst x x' m n : R (@zero C x x' (m × n) ;; fst) == R O.
  Proof. both. reflexivity. Qed.
  Lemma resp_zero_snd x x' m n : R (@zero C x x' (m × n) ;; snd) == R O.
  Proof. both. reflexivity. Qed.

  Lemma raw_rd15 : (forall a a' b b' (f : hom a a' b b'), RD2_at (@R) f) ->
    (forall a a' b b' (f g : hom a a' b b'), f == g -> R f == R g) -> RD15 (@R).
  Proof.
    intros L M. split; [exact M | ..]; intros; try apply L; try apply H.
    - rewrite (raw_fst _ H); unfold iota0; clac; reflexivity.
    - rewrite (raw_snd _ H); unfold iota1; clac; reflexivity.
    - rewrite (raw_pair _ H); unfold cross; clac; reflexivity.
    - rewrite (raw_comp _ H); unfold cross; clac; reflexivity.
  Qed.
End Raw.

Lemma rd15_raw {C : PCLAC} (R : RType C) : RD15 R -> RawR R.
Proof.
  intros H; split; intros; try apply H.
  - rewrite (rd3_fst _ H); unfold iota0; clac; reflexivity.
  - rewrite (rd3_snd _ H); unfold iota1; clac; reflexivity.
  - rewrite (rd4 _ H); unfold cross; clac; reflexivity.
  - rewrite (rd5 _ H); unfold cross; clac; reflexivity.
Qed.
