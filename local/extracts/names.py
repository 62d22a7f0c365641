# ruff: noqa: RUF001 - letters that look alike in several scripts are the point
"""Names and places of many countries, from which `local.people` makes up customers."""

from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True, kw_only=True)
class Culture:
    """What people of one country are called and where they live.

    Names are written `native=latin`, the latin form being what stands in an e-mail address; places are
    written `city=state=postal code`. Both are separated by semicolons.
    """

    country: str
    given_names: str
    family_names: str
    towns: str

    @cached_property
    def given(self) -> tuple[tuple[str, ...], ...]:
        """First names: native and latin form."""
        return _table(self.given_names)

    @cached_property
    def family(self) -> tuple[tuple[str, ...], ...]:
        """Last names: native and latin form."""
        return _table(self.family_names)

    @cached_property
    def places(self) -> tuple[tuple[str, ...], ...]:
        """City, state (may be empty) and postal code."""
        return _table(self.towns)


def _table(text: str) -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(entry.strip().split("=")) for entry in text.split(";"))


CULTURES = (
    Culture(
        country="Sweden",
        given_names="Åsa=asa; Björn=bjorn; Märta=marta; Örjan=orjan; Linnéa=linnea; Göran=goran",
        family_names="Lindqvist=lindqvist; Öberg=oberg; Sjöström=sjostrom; von Essen=von.essen",
        towns="Göteborg=Västra Götalands län=411 05; Malmö=Skåne län=211 22; Luleå=Norrbottens län=972 31",
    ),
    Culture(
        country="Ukraine",
        given_names="Олена=olena; Тарас=taras; Мар'яна=mariana; Юрій=yurii; Їлана=yilana; Григорій=hryhorii",
        family_names="Шевченко=shevchenko; Кравець=kravets; Лук'яненко=lukianenko; Ґудзь=gudz; Бойко=boiko",
        towns="Київ==01001; Львів=Львівська область=79000; Кам'янець-Подільський=Хмельницька область=32300",
    ),
    Culture(
        country="Bulgaria",
        given_names="Мария=maria; Георги=georgi; Цветелина=tsvetelina; Йордан=yordan; Снежана=snezhana",
        family_names="Димитрова=dimitrova; Щерев=shterev; Ангелов=angelov; Юрукова=yurukova; Жечев=zhechev",
        towns="София=София-град=1000; Пловдив=Пловдив=4000; Велико Търново=Велико Търново=5000",
    ),
    Culture(
        country="China",
        given_names="伟=wei; 秀英=xiuying; 子涵=zihan; 欣怡=xinyi; 志强=zhiqiang; 㛃=jie",
        family_names="王=wang; 李=li; 欧阳=ouyang; 张=zhang; 𠀾=hu; 诸葛=zhuge",
        towns="北京=北京市=100000; 广州=广东省=510000; 成都=四川省=610000",
    ),
    Culture(
        country="Japan",
        given_names="花子=hanako; 太郎=taro; さくら=sakura; ケンジ=kenji; 陽翔=haruto",
        family_names="𠮷田=yoshida; 髙橋=takahashi; 渡邊=watanabe; 佐々木=sasaki; 𡈽屋=tsuchiya",
        towns="東京都港区=東京都=105-0011; 京都市=京都府=600-8216; 札幌市=北海道=060-0042",
    ),
    Culture(
        country="Korea",
        given_names="서연=seoyeon; 민준=minjun; 지우=jiwoo; 하은=haeun",
        family_names="김=kim; 이=lee; 박=park; 남궁=namgung",
        towns="서울=서울특별시=04524; 부산=부산광역시=48058",
    ),
    Culture(
        country="Spain",
        given_names="Núria=nuria; Jordi=jordi; Montserrat=montserrat; Marcel·la=marcella; Lluís=lluis",
        family_names="Puig i Cadafalch=puig; Gal·lès=galles; Muñoz=munoz; Català=catala; d'Abadal=dabadal",
        towns="L'Hospitalet de Llobregat=Catalunya=08901; Girona=Catalunya=17001; A Coruña=Galicia=15001",
    ),
    Culture(
        country="France",
        given_names="François=francois; Zoë=zoe; Jean-Noël=jean-noel; Maëlys=maelys; Œnone=oenone",
        family_names="d'Aubigné=daubigne; Lefèvre=lefevre; Châtelain=chatelain; L’Hôte=lhote; Müller=muller",
        towns="Saint-Étienne=Auvergne-Rhône-Alpes=42000; L'Haÿ-les-Roses=Île-de-France=94240",
    ),
    Culture(
        country="Ireland",
        given_names="Siobhán=siobhan; Séamus=seamus; Caoimhe=caoimhe; Pádraig=padraig; Orla=orla",
        family_names="O'Brien=o'brien; O’Connor=oconnor; Ní Dhomhnaill=nidhomhnaill",
        towns="Dún Laoghaire=Co. Dublin=A96 X6C4; Cork=Co. Cork=T12 W8KP",
    ),
    Culture(
        country="United States",
        given_names="Mary Jane=mary-jane; Andre=andre; DeShawn=deshawn; J. R.=j.r; Kahealani=kahealani",
        family_names="Smith=smith; Ng=ng; Kealiʻi=kealii; McDonald=mcdonald; García-López=garcia-lopez",
        towns="Coeur d'Alene=Idaho=83814; ‘Ewa Beach=Hawaiʻi=96706; St. Louis=Missouri=63101",
    ),
    Culture(
        country="Poland",
        given_names="Łukasz=lukasz; Małgorzata=malgorzata; Święcisław=swiecislaw; Żaneta=zaneta",
        family_names="Wójcik=wojcik; Dąbrowska=dabrowska; Brzęczyszczykiewicz=brzeczyszczykiewicz",
        towns="Łódź=województwo łódzkie=90-001; Kraków=województwo małopolskie=30-001",
    ),
    Culture(
        country="Türkiye",
        given_names="İpek=ipek; Işıl=isil; Çağrı=cagri; Gülşah=gulsah",
        family_names="Yıldırım=yildirim; Öztürk=ozturk; Şahin=sahin; Kılıç=kilic",
        towns="İstanbul=Marmara=34000; Diyarbakır=Güneydoğu Anadolu=21000",
    ),
    Culture(
        country="Germany",
        given_names="Jürgen=juergen; Käthe=kaethe; Sören=soeren; Ännchen=aennchen",
        family_names="Weiß=weiss; Großmann=grossmann; von der Höh=vonderhoeh; Yıldız=yildiz",
        towns="Köln=Nordrhein-Westfalen=50667; Gießen=Hessen=35390; Görlitz=Sachsen=02826",
    ),
    Culture(
        country="Greece",
        given_names="Ελένη=eleni; Γιώργος=giorgos; Αθηνά=athina; Οδυσσέας=odysseas",
        family_names="Παπαδόπουλος=papadopoulos; Νικολαΐδου=nikolaidou; Ξένος=xenos",
        towns="Θεσσαλονίκη=Κεντρική Μακεδονία=546 21; Χανιά=Κρήτη=731 00",
    ),
    Culture(
        country="Egypt",
        given_names="محمد=mohamed; فاطمة=fatma; نور=nour; يوسف=youssef",
        family_names="عبد الله=abdallah; حسن=hassan; المصري=elmasry",
        towns="القاهرة=محافظة القاهرة=11511; الإسكندرية=محافظة الإسكندرية=21500",
    ),
    Culture(
        country="India",
        given_names="प्रिया=priya; अर्जुन=arjun; लक्ष्मी=lakshmi; தமிழ்=tamizh",
        family_names="शर्मा=sharma; श्रीवास्तव=shrivastava; பிள்ளை=pillai",
        towns="मुंबई=महाराष्ट्र=400001; சென்னை=தமிழ்நாடு=600001",
    ),
    Culture(
        country="Vietnam",
        given_names="Nguyệt=nguyet; Đức=duc; Thảo=thao; Hưng=hung",
        family_names="Nguyễn=nguyen; Trần=tran; Đặng=dang; Phạm=pham",
        towns="Đà Nẵng==550000; Thành phố Hồ Chí Minh==700000",
    ),
)
