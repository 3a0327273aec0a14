'use strict';
(function(){
var data=JSON.parse(document.getElementById('data').textContent),lo=data.lo,hi=data.hi,W=data.width;
var svgs=Array.prototype.slice.call(document.querySelectorAll('#strips svg')),box=document.getElementById('strips');
var a=lo,b=hi+1,rows=Array.prototype.slice.call(document.querySelectorAll('#table tbody tr'));
var find=document.getElementById('find'),inview=document.getElementById('inview'),checks=Array.prototype.slice.call(document.querySelectorAll('[data-cause]'));
document.documentElement.classList.add('js-on');
document.querySelectorAll('.js').forEach(function(e){e.hidden=false;});
function d(ranges,least){
  var out='',end=-1,start=-1,k=W/(b-a);
  for(var i=0;i<ranges.length;i+=2){
    if(ranges[i+1]<a||ranges[i]>=b)continue;
    var x=Math.max(0,(ranges[i]-a)*k),y=Math.min(W,(ranges[i+1]+1-a)*k);
    if(y-x<least)y=x+least;
    if(x<=end){if(y>end)end=y;continue;}
    if(start>=0)out+='M'+start.toFixed(1)+' 0H'+end.toFixed(1)+'V24H'+start.toFixed(1)+'z';
    start=x;end=y;
  }
  if(start>=0)out+='M'+start.toFixed(1)+' 0H'+end.toFixed(1)+'V24H'+start.toFixed(1)+'z';
  return out;
}
function draw(){
  var layers=['covered','holes','fine','work','wrong'];
  svgs.forEach(function(svg,i){
    var paths=svg.querySelectorAll('path'),store=data.stores[i];
    layers.forEach(function(name,j){paths[j].setAttribute('d',d(store[name],j?1.6:0));});
  });
  var ticks=document.querySelectorAll('#axis span'),n=ticks.length-1;
  ticks.forEach(function(t,i){t.textContent=Math.min(Math.round(a+(b-1-a)*i/n),Math.round(b-1));});
  var whole=a<=lo&&b>=hi+1;
  document.getElementById('window').textContent=whole?'':'runs '+Math.ceil(a)+' to '+Math.floor(b-1);
  if(inview&&inview.checked)filter();
}
function show(from,to){
  var span=Math.min(Math.max(to-from,8),hi+1-lo),mid=(from+to)/2;
  a=Math.min(Math.max(mid-span/2,lo),Math.max(lo,hi+1-span));b=a+span;
  draw();
}
var moves={in:function(){var s=(b-a)/4;show(a+s,b-s);},out:function(){var s=(b-a)/2;show(a-s,b+s);},left:function(){var s=(b-a)/4;show(a-s,b-s);},right:function(){var s=(b-a)/4;show(a+s,b+s);},all:function(){show(lo,hi+1);}};
document.querySelectorAll('[data-do]').forEach(function(e){e.addEventListener('click',function(){moves[e.dataset.do]();});});
var keys={ArrowLeft:'left',ArrowRight:'right','+':'in','=':'in','-':'out','0':'all',Home:'all'};
box.addEventListener('keydown',function(e){var m=keys[e.key];if(m&&!e.ctrlKey&&!e.metaKey&&!e.altKey){moves[m]();e.preventDefault();}});
var drag=null,sel=null;
function at(e,svg){var r=svg.getBoundingClientRect();return Math.min(Math.max((e.clientX-r.left)/r.width,0),1);}
svgs.forEach(function(svg){
  svg.addEventListener('pointerdown',function(e){if(e.button)return;drag={svg:svg,x:at(e,svg)};svg.setPointerCapture(e.pointerId);sel=document.createElement('div');sel.id='sel';box.appendChild(sel);e.preventDefault();box.focus();});
  svg.addEventListener('pointermove',function(e){if(!drag)return;var r=svg.getBoundingClientRect(),o=box.getBoundingClientRect(),x=at(e,svg);sel.style.left=(r.left-o.left+Math.min(x,drag.x)*r.width)+'px';sel.style.width=(Math.abs(x-drag.x)*r.width)+'px';});
  svg.addEventListener('pointerup',function(e){if(!drag)return;var x=at(e,svg),s=b-a,p=a+Math.min(x,drag.x)*s,q=a+Math.max(x,drag.x)*s;drag=null;sel.remove();if(q-p>s/200)show(p,q);});
  svg.addEventListener('pointercancel',function(){if(drag){drag=null;sel.remove();}});
  svg.addEventListener('dblclick',function(){moves.all();});
});
function filter(){
  var words=find?find.value.trim().toLowerCase():'',number=/^\d+$/.test(words)?Number(words):null,off={},shown=0;
  checks.forEach(function(c){if(!c.checked)off[c.dataset.cause]=true;});
  rows.forEach(function(r){
    var x=Number(r.dataset.a),y=Number(r.dataset.b);
    var ok=!off[r.dataset.c]&&(!inview||!inview.checked||y>=a&&x<b)&&(!words||(number!==null&&x<=number&&number<=y)||r.textContent.toLowerCase().indexOf(words)>=0);
    r.hidden=!ok;if(ok)shown++;
  });
  var out=document.getElementById('shown');if(out)out.textContent=shown===rows.length?'':shown+' of '+rows.length+' rows';
}
checks.forEach(function(c){c.addEventListener('change',filter);});
if(find)find.addEventListener('input',filter);
if(inview)inview.addEventListener('change',filter);
rows.forEach(function(r){
  var x=Number(r.dataset.a),y=Number(r.dataset.b)+1;
  if(y<=lo||x>hi)return;
  r.tabIndex=0;r.title='Show on the strips';
  function go(){var s=Math.max((y-x)*1.5,40);show(x-s,y+s);box.scrollIntoView({block:'nearest'});}
  r.addEventListener('click',go);
  r.addEventListener('keydown',function(e){if(e.key==='Enter'){go();e.preventDefault();}});
});
})();
